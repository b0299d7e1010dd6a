{{/*
The values that count, as JSON. Every template begins with: $values := include "istio-cni.values" . | fromJson
Order, the last wins: defaults, profile, compatibility version, platform, the user's keys, the user's keys below `cni`.
*/}}
{{- define "istio-cni.values" -}}
{{- if hasKey .Values "defaults" }}
{{- fail "set the keys without the prefix `defaults.`" }}
{{- end }}
{{- $defaults := index .Values "_internal_defaults_do_not_set" }}
{{- $flat := omit (deepCopy .Values) "_internal_defaults_do_not_set" "cni" }}
{{- $user := mergeOverwrite (deepCopy $flat) (deepCopy (.Values.cni | default dict)) }}
{{- $global := $user.global | default dict }}
{{- $profile := $user.profile | default $global.profile }}
{{- $platform := $user.platform | default $global.platform }}
{{- $version := $user.compatibilityVersion | default $global.compatibilityVersion | default "" | toString }}
{{- $values := deepCopy $defaults }}
{{- with $profile }}
{{- $file := $.Files.Get (printf "files/profiles/%s.yaml" .) }}
{{- $values = mergeOverwrite $values ($file | required (printf "unknown profile %s" .) | fromYaml | default dict) }}
{{- end }}
{{- with $version }}
{{- $file := $.Files.Get (printf "files/compatibility/%s.yaml" .) }}
{{- $values = mergeOverwrite $values ($file | required (printf "unknown compatibility version %s" .) | fromYaml | default dict) }}
{{- end }}
{{- with $platform }}
{{- $file := $.Files.Get (printf "files/platforms/%s.yaml" .) }}
{{- $values = mergeOverwrite $values ($file | required (printf "unknown platform %s" .) | fromYaml | default dict) }}
{{- end }}
{{- $values = mergeOverwrite $values $user }}
{{- $_ := set $values "platform" ($platform | default "") }}
{{- $values | toJson }}
{{- end }}

{{/* The reference of the image. */}}
{{- define "istio-cni.image" -}}
{{- if contains "/" .Values.image -}}
{{ .Values.image }}
{{- else -}}
{{- $hub := .Values.hub | default .Values.global.hub }}
{{- $variant := .Values.variant | default .Values.global.variant }}
{{- printf "%s/%s:%s" ($hub | required "set hub, global.hub or image: no public registry holds this image yet") .Values.image (include "istio-cni.tag" .) }}
{{- with $variant }}-{{ . }}{{ end }}
{{- end }}
{{- end }}

{{- define "istio-cni.tag" -}}
{{ .Values.tag | default .Values.global.tag | default .Chart.AppVersion }}
{{- end }}

{{/* The runtime's directory of plugins: GKE has two, and only the server's version tells. */}}
{{- define "istio-cni.binDir" -}}
{{- if .Values.cniBinDir -}}
{{ .Values.cniBinDir }}
{{- else if contains "-gke" .Capabilities.KubeVersion.GitVersion -}}
/home/kubernetes/bin
{{- else -}}
/opt/cni/bin
{{- end }}
{{- end }}

{{/* Whether objects of a scope are made; the argument is (list values "cluster"|"namespace"). */}}
{{- define "istio-cni.makes" -}}
{{- if has (index . 0).global.resourceScope (list "all" (index . 1)) }}true{{ end }}
{{- end }}
