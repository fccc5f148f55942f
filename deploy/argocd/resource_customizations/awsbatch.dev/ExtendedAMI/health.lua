-- The health of any kind of awsbatch.dev. The kinds keep to the conventions of kstatus: the field
-- status.observedGeneration, and the conditions Reconciling and Stalled.
local conditions = {}
local observed = nil
if obj.status ~= nil then
  observed = obj.status.observedGeneration
  for _, condition in ipairs(obj.status.conditions or {}) do
    if condition.status == "True" then
      conditions[condition.type] = condition
    end
  end
end

local function health(status, condition, otherwise)
  if condition ~= nil and condition.message ~= nil then
    return { status = status, message = condition.message }
  end
  return { status = status, message = otherwise }
end

if observed == nil or observed ~= obj.metadata.generation then
  return health("Progressing", conditions["Paused"], "Waiting for the operator to look at it")
end
if conditions["Stalled"] ~= nil then
  return health("Degraded", conditions["Stalled"], "Somebody has to act")
end
if conditions["Reconciling"] ~= nil then
  return health("Progressing", conditions["Reconciling"], "The operator is at work")
end
if conditions["Suspended"] ~= nil then
  return health("Suspended", conditions["Suspended"], "The job is held")
end
if conditions["Ready"] ~= nil then
  return health("Healthy", conditions["Ready"], "AWS is as the spec says")
end
if conditions["Complete"] ~= nil then
  return health("Healthy", conditions["Complete"], "The job has succeeded")
end
return health("Progressing", nil, "The operator has not judged it yet")
