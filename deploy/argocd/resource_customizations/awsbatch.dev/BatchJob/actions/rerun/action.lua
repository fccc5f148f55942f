-- The same job once more, as another BatchJob, because a job runs as it was submitted. Neither labels
-- nor annotations go with it: Argo CD would take it for a part of the application that is not in Git.
local os = require("os")
local job = {
  apiVersion = obj.apiVersion,
  kind = obj.kind,
  metadata = {
    name = obj.metadata.name .. "-" .. os.date("!%Y%m%d%H%M%S"),
    namespace = obj.metadata.namespace,
    ownerReferences = {
      {
        apiVersion = obj.apiVersion,
        kind = obj.kind,
        name = obj.metadata.name,
        uid = obj.metadata.uid,
        blockOwnerDeletion = false,
        controller = false,
      },
    },
  },
  spec = obj.spec,
}
return { { operation = "create", resource = job } }
