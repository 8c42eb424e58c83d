{{- define "brig.labels" -}}
app.kubernetes.io/name: brig-installer
app.kubernetes.io/part-of: brig
{{- end }}
{{- define "brig.image" -}}
{{ .Values.image.repository }}{{ if .Values.image.digest }}@{{ .Values.image.digest }}{{ else }}:{{ .Values.image.tag | default .Chart.AppVersion }}{{ end }}
{{- end }}
