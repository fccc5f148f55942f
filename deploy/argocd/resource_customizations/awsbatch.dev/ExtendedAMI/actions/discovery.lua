-- Which actions make sense now: for any kind of awsbatch.dev.
local paused = false
if obj.metadata.annotations ~= nil then
  local text = obj.metadata.annotations["awsbatch.dev/paused"]
  paused = text ~= nil and text ~= "false"
end
local ended = false
if obj.status ~= nil then
  for _, condition in ipairs(obj.status.conditions or {}) do
    if condition.status == "True" and (condition.type == "Complete" or condition.type == "Failed") then
      ended = true
    end
  end
end

local actions = {}
actions["pause"] = { disabled = paused or ended }
actions["resume"] = { disabled = not paused }
actions["reconcile-now"] = { disabled = paused or ended }
if obj.kind == "BatchJob" then
  actions["rerun"] = { disabled = not ended }
end
return actions
