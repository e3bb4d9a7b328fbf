{{- define "forebay.name" -}}
{{- if contains "forebay" .Release.Name -}}
{{ .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else -}}
{{ printf "%s-forebay" (.Release.Name | trunc 32 | trimSuffix "-") }}
{{- end -}}
{{- end -}}

{{- define "forebay.selector" -}}
app.kubernetes.io/name: forebay
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "forebay.labels" -}}
{{ include "forebay.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- /* The configuration file. What the manifests rely on overrides the options. */ -}}
{{- define "forebay.config" -}}
{{- $own := dict "data" "/data" "port" 3000 "admin-port" 3001 "admin-host" "0.0.0.0" "shutdown-delay-ms" (int .Values.shutdownDelayMs) "shutdown-ms-max" (int .Values.shutdownMsMax) -}}
{{- merge $own (deepCopy .Values.options) | toPrettyJson -}}
{{- end -}}
