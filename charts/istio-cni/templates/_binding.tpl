{{/* A ClusterRoleBinding for the agent's account: (list context name role label). */}}
{{- define "istio-cni.binding" }}
{{- $context := index . 0 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: {{ index . 1 }}
  labels:
    {{ index . 3 }}
    {{- include "istio-cni.labels" $context | nindent 4 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: {{ index . 2 }}
subjects:
  - kind: ServiceAccount
    name: istio-cni
    namespace: {{ $context.Release.Namespace | quote }}
{{- end }}
