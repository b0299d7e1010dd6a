{{/* The agent's variables: docs/configuration.md says what each does. */}}
{{- define "istio-cni.configuration" -}}
CURRENT_AGENT_VERSION: {{ include "istio-cni.tag" . | quote }}
AMBIENT_ENABLED: {{ .Values.ambient.enabled | quote }}
AMBIENT_ENABLEMENT_SELECTOR: {{ .Values.ambient.enablementSelectors | toYaml | quote }}
AMBIENT_DNS_CAPTURE: {{ .Values.ambient.dnsCapture | quote }}
AMBIENT_IPV6: {{ .Values.ambient.ipv6 | quote }}
AMBIENT_RECONCILE_POD_RULES_ON_STARTUP: {{ .Values.ambient.reconcileIptablesOnStartup | quote }}
ENABLE_AMBIENT_DETECTION_RETRY: {{ .Values.ambient.enableAmbientDetectionRetry | quote }}
{{- with .Values.cniConfFileName }}
CNI_CONF_NAME: {{ . | quote }}
{{- end }}
ISTIO_OWNED_CNI_CONFIG: {{ .Values.istioOwnedCNIConfig | quote }}
{{- if .Values.istioOwnedCNIConfig }}
{{- with .Values.istioOwnedCNIConfigFileName }}
# Both spellings: the chart has always sent the first, and the agent has always read the second.
ISTIO_OWNED_CNI_CONF_FILENAME: {{ . | quote }}
ISTIO_OWNED_CNI_CONFIG_FILENAME: {{ . | quote }}
{{- end }}
{{- end }}
CHAINED_CNI_PLUGIN: {{ .Values.chained | quote }}
EXCLUDE_NAMESPACES: {{ .Values.excludeNamespaces | default list | join "," | quote }}
REPAIR_ENABLED: {{ .Values.repair.enabled | quote }}
REPAIR_LABEL_PODS: {{ .Values.repair.labelPods | quote }}
REPAIR_DELETE_PODS: {{ .Values.repair.deletePods | quote }}
REPAIR_REPAIR_PODS: {{ .Values.repair.repairPods | quote }}
REPAIR_INIT_CONTAINER_NAME: {{ .Values.repair.initContainerName | quote }}
REPAIR_BROKEN_POD_LABEL_KEY: {{ .Values.repair.brokenPodLabelKey | quote }}
REPAIR_BROKEN_POD_LABEL_VALUE: {{ .Values.repair.brokenPodLabelValue | quote }}
NATIVE_NFTABLES: {{ .Values.global.nativeNftables | quote }}
{{- range $name, $value := .Values.env }}
{{ $name }}: {{ $value | quote }}
{{- end }}
{{- end }}
