{{- define "operator.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{ .Values.fullnameOverride }}
{{- else if contains .Chart.Name .Release.Name -}}
{{ .Release.Name | trunc 53 | trimSuffix "-" }}
{{- else -}}
{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 53 | trimSuffix "-" }}
{{- end -}}
{{- end -}}

{{- define "operator.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "operator.labels" -}}
{{ include "operator.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/component: operator
app.kubernetes.io/part-of: {{ .Chart.Name }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "operator.serviceAccount" -}}
{{ .Values.serviceAccount.name | default (include "operator.fullname" .) }}
{{- end -}}

{{- define "operator.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{- /* The flags as the keys of a ConfigMap: allowedRoleArns: [a, b] is allowed-role-arns: "a,b". */ -}}
{{- define "operator.flags" -}}
{{- $words := "settings.clusterId is empty. Give this cluster a name that no other cluster has; it goes into the tags of everything in AWS, and stays for ever." -}}
{{- if and .Values.namespaced .Values.settings.namespaces -}}
{{- fail "namespaced serves the release's namespace alone: leave settings.namespaces out, or namespaced." -}}
{{- end -}}
{{- if and .Values.namespaced .Values.settings.excludeNamespaces -}}
{{- fail "namespaced serves the release's namespace alone: leave settings.excludeNamespaces out, or namespaced." -}}
{{- end -}}
{{- if and .Values.settings.namespaces .Values.settings.excludeNamespaces -}}
{{- fail "Give one of settings.namespaces and settings.excludeNamespaces, not both." -}}
{{- end -}}
cluster-id: {{ required $words .Values.settings.clusterId | quote }}
{{- if ne (include "operator.fullname" .) .Chart.Name }}
lease-name: {{ include "operator.fullname" . }}
{{- end }}
{{- range $name, $value := omit .Values.settings "clusterId" }}
{{- if kindIs "slice" $value }}
{{ kebabcase $name }}: {{ join "," $value | quote }}
{{- else if not (or (kindIs "invalid" $value) (eq (toString $value) "")) }}
{{ kebabcase $name }}: {{ toString $value | quote }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "operator.subject" -}}
- kind: ServiceAccount
  name: {{ include "operator.serviceAccount" . }}
  namespace: {{ .Release.Namespace }}
{{- end -}}
