-- The operator goes on with an object that was paused.
if obj.metadata.annotations ~= nil then
  obj.metadata.annotations["awsbatch.dev/paused"] = nil
end
return obj
