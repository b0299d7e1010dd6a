{{- define "istio-cni.container" -}}
- name: install-cni
  image: {{ include "istio-cni.image" . | quote }}
  {{- with .Values.pullPolicy | default .Values.global.imagePullPolicy }}
  imagePullPolicy: {{ . }}
  {{- end }}
  command: [install-cni]
  {{- $level := .Values.logging.level | default .Values.global.logging.level }}
  {{- if or $level .Values.global.logAsJson }}
  args:
    {{- with $level }}
    - --log_output_level={{ . }}
    {{- end }}
    {{- if .Values.global.logAsJson }}
    - --log_as_json
    {{- end }}
  {{- end }}
  ports:
    - name: metrics
      containerPort: 15014
      protocol: TCP
  readinessProbe:
    httpGet:
      path: /readyz
      port: 8000
  # The agent ends by itself when a part of it is stuck; this is for when all of it is.
  livenessProbe:
    httpGet:
      path: /healthz
      port: 8000
    initialDelaySeconds: 10
    periodSeconds: 10
    failureThreshold: 6
    timeoutSeconds: 5
  securityContext:
    {{- include "istio-cni.securityContext" . | nindent 4 }}
  envFrom:
    - configMapRef:
        name: istio-cni-config
  env:
    {{- include "istio-cni.environment" . | nindent 4 }}
  volumeMounts:
    {{- include "istio-cni.mounts" . | nindent 4 }}
  {{- $resources := .Values.resources | default .Values.global.defaultResources | default dict }}
  {{- $kept := dict }}
  {{- range $kind, $amounts := $resources }}
  {{- range $name, $amount := $amounts }}
  {{- if $amount }}
  {{- $_ := set $kept $kind (merge (dict $name $amount) (get $kept $kind | default dict)) }}
  {{- end }}
  {{- end }}
  {{- end }}
  {{- with $kept }}
  resources:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}

{{- define "istio-cni.securityContext" -}}
privileged: false
runAsUser: 0
runAsGroup: 0
runAsNonRoot: false
capabilities:
  drop: [ALL]
  # Rules (NET_ADMIN, NET_RAW), entering namespaces (SYS_ADMIN), finding a pod's processes (SYS_PTRACE), and files on
  # the node that other users own (DAC_OVERRIDE).
  add: [NET_ADMIN, NET_RAW, SYS_PTRACE, SYS_ADMIN, DAC_OVERRIDE]
{{- with .Values.seccompProfile }}
seccompProfile:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.seLinuxOptions }}
seLinuxOptions:
  {{- merge . (dict "type" "spc_t") | toYaml | nindent 2 }}
{{- end }}
{{- if not .Values.useAppArmorAnnotation }}
appArmorProfile:
  type: Unconfined
{{- end }}
{{- end }}

{{- define "istio-cni.environment" -}}
- name: REPAIR_NODE_NAME
  valueFrom:
    fieldRef:
      fieldPath: spec.nodeName
- name: REPAIR_RUN_AS_DAEMON
  value: "true"
- name: REPAIR_SIDECAR_ANNOTATION
  value: sidecar.istio.io/status
{{- if not (and .Values.ambient.enabled .Values.ambient.shareHostNetworkNamespace) }}
- name: ALLOW_SWITCH_TO_HOST_NS
  value: "true"
{{- end }}
- name: NODE_NAME
  valueFrom:
    fieldRef:
      apiVersion: v1
      fieldPath: spec.nodeName
- name: GOMEMLIMIT
  valueFrom:
    resourceFieldRef:
      resource: limits.memory
      divisor: "1"
- name: POD_NAME
  valueFrom:
    fieldRef:
      fieldPath: metadata.name
- name: POD_NAMESPACE
  valueFrom:
    fieldRef:
      fieldPath: metadata.namespace
{{- range $name, $value := .Values.env }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- end }}
