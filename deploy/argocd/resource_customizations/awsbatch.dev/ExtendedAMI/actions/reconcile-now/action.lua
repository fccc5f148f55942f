-- The operator asks AWS itself at once; each new value of the annotation is one such look.
local os = require("os")
obj.metadata.annotations = obj.metadata.annotations or {}
obj.metadata.annotations["awsbatch.dev/reconcile-at"] = os.date("!%Y-%m-%dT%XZ")
return obj
