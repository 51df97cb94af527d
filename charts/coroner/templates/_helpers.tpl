{{- define "coroner.name" -}}
{{ .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* At most 50 characters, so that a suffix still fits into the name of a Service. */}}
{{- define "coroner.fullname" -}}
{{- $name := include "coroner.name" . -}}
{{- if .Values.fullnameOverride -}}
{{ .Values.fullnameOverride | trunc 50 | trimSuffix "-" }}
{{- else if contains $name .Release.Name -}}
{{ .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else -}}
{{ printf "%s-%s" .Release.Name $name | trunc 50 | trimSuffix "-" }}
{{- end -}}
{{- end }}

{{- define "coroner.selector" -}}
app.kubernetes.io/name: {{ include "coroner.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "coroner.labels" -}}
{{ include "coroner.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "coroner.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{ .Values.serviceAccount.name | default (include "coroner.fullname" .) }}
{{- else -}}
{{ required "serviceAccount.name is empty: name a ServiceAccount that exists, or let serviceAccount.create be true" .Values.serviceAccount.name }}
{{- end -}}
{{- end }}

{{- define "coroner.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- with .Values.image.digest }}@{{ . }}{{ end }}
{{- end }}

{{/* The operator's configuration file: the values of the same names, and where Slack's URL and the rules are mounted. */}}
{{- define "coroner.config" -}}
{{- $config := pick .Values "clusterName" "namespaces" "ephemeralContainers" "startupGrace" "retention" "excerpt" "deleteWithWorkload" "reports" "log" "redact" -}}
{{- $notify := pick .Values.notify "categories" -}}
{{- if .Values.notify.slack.existingSecret -}}
{{- $_ := set $notify "slack" (dict "webhookUrlFile" "/etc/coroner/slack/url") -}}
{{- end -}}
{{- if .Values.rules -}}
{{- $_ := set $config "rules" (dict "directory" "/etc/coroner/rules") -}}
{{- end -}}
{{ set $config "notify" $notify | toYaml }}
{{- end }}
