{{/* Repair in the pod looks for processes and namespaces of pods; so would ambient mode. */}}
{{- define "istio-cni.looksIntoPods" -}}
{{- if or .Values.repair.repairPods .Values.ambient.enabled }}true{{ end }}
{{- end }}

{{- define "istio-cni.mounts" -}}
- name: cni-bin-dir
  mountPath: /host/opt/cni/bin
- name: cni-net-dir
  mountPath: /host/etc/cni/net.d
- name: cni-socket-dir
  mountPath: /var/run/istio-cni
{{- if include "istio-cni.looksIntoPods" . }}
- name: cni-host-procfs
  mountPath: /host/proc
  readOnly: true
- name: cni-netns-dir
  mountPath: /host/var/run/netns
  mountPropagation: HostToContainer
{{- end }}
{{- if .Values.ambient.enabled }}
- name: cni-ztunnel-sock-dir
  mountPath: /var/run/ztunnel
{{- end }}
{{- end }}

{{- define "istio-cni.volumes" -}}
- name: cni-bin-dir
  hostPath:
    path: {{ include "istio-cni.binDir" . | quote }}
- name: cni-net-dir
  hostPath:
    path: {{ .Values.cniConfDir | quote }}
- name: cni-socket-dir
  hostPath:
    path: /var/run/istio-cni
{{- if include "istio-cni.looksIntoPods" . }}
- name: cni-host-procfs
  hostPath:
    path: /proc
    type: Directory
{{- end }}
- name: cni-netns-dir
  hostPath:
    path: {{ .Values.cniNetnsDir | quote }}
    type: DirectoryOrCreate
{{- if .Values.ambient.enabled }}
- name: cni-ztunnel-sock-dir
  hostPath:
    path: /var/run/ztunnel
    type: DirectoryOrCreate
{{- end }}
{{- end }}
