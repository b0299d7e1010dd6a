internal import CNIProtocol

/// The fields of an IstioOperator document.
///
/// Written from the fields of `install.istio.io/v1alpha1`; those that do not concern the CNI component are named and not
/// looked into. Values of the agent's chart are checked by the chart's own schema.
enum DocumentSchema {
    static func make() throws(DocumentError) -> ValueSchema {
        do throws(YAMLDocuments.Failure) {
            return ValueSchema(try YAMLDocuments.read(text).first ?? .null)
        } catch {
            throw DocumentError("", "the built-in schema cannot be read: \(error)")
        }
    }

    static let text = """
        type: object
        additionalProperties: false
        properties:
          apiVersion: {type: string}
          kind: {type: string}
          metadata: {type: object}
          status: {type: object}
          spec:
            type: object
            additionalProperties: false
            properties:
              profile: {type: string}
              installPackagePath: {type: string}
              hub: {type: string}
              tag: {type: [string, number]}
              namespace: {type: string}
              revision: {type: string}
              compatibilityVersion: {type: [string, number]}
              meshConfig: {type: object}
              values: {type: object}
              unvalidatedValues: {type: object}
              components:
                type: object
                additionalProperties: false
                properties:
                  base: {$ref: '#/$defs/component'}
                  pilot: {$ref: '#/$defs/component'}
                  cni: {$ref: '#/$defs/component'}
                  ztunnel: {$ref: '#/$defs/component'}
                  istiodRemote: {$ref: '#/$defs/component'}
                  ingressGateways: {type: array, items: {$ref: '#/$defs/gateway'}}
                  egressGateways: {type: array, items: {$ref: '#/$defs/gateway'}}
        $defs:
          component:
            type: object
            additionalProperties: false
            properties:
              enabled: {type: boolean}
              namespace: {type: string}
              hub: {type: string}
              tag: {type: [string, number]}
              k8s: {$ref: '#/$defs/k8s'}
          gateway:
            type: object
            additionalProperties: false
            properties:
              enabled: {type: boolean}
              namespace: {type: string}
              hub: {type: string}
              tag: {type: [string, number]}
              k8s: {$ref: '#/$defs/k8s'}
              name: {type: string}
              label: {type: object}
          k8s:
            type: object
            additionalProperties: false
            properties:
              affinity: {$ref: '#/$defs/affinity'}
              env: {type: array, items: {type: object}}
              hpaSpec: {type: object}
              imagePullPolicy: {enum: [Always, IfNotPresent, Never]}
              nodeSelector: {type: object, additionalProperties: {type: string}}
              overlays: {type: array, items: {$ref: '#/$defs/overlay'}}
              podAnnotations: {type: object, additionalProperties: {type: string}}
              podDisruptionBudget: {type: object}
              priorityClassName: {type: string}
              readinessProbe: {type: object}
              replicaCount: {type: integer}
              resources: {$ref: '#/$defs/resources'}
              securityContext: {type: object}
              service: {type: object}
              serviceAnnotations: {type: object}
              strategy: {type: object}
              tolerations: {type: array, items: {$ref: '#/$defs/toleration'}}
              volumeMounts: {type: array}
              volumes: {type: array}
          affinity:
            type: object
            additionalProperties: false
            properties:
              nodeAffinity: {type: object}
              podAffinity: {type: object}
              podAntiAffinity: {type: object}
          overlay:
            type: object
            additionalProperties: false
            properties:
              apiVersion: {type: string}
              kind: {type: string}
              name: {type: string}
              patches: {type: array, items: {$ref: '#/$defs/patch'}}
          patch:
            type: object
            additionalProperties: false
            properties:
              path: {type: string}
              value: {}
          resources:
            type: object
            additionalProperties: false
            properties:
              claims: {type: array}
              limits: {type: object, additionalProperties: {type: [string, number]}}
              requests: {type: object, additionalProperties: {type: [string, number]}}
          seccompProfile:
            type: object
            additionalProperties: false
            properties:
              type: {enum: [RuntimeDefault, Unconfined, Localhost]}
              localhostProfile: {type: string}
          toleration:
            type: object
            additionalProperties: false
            properties:
              effect: {enum: ['', NoSchedule, PreferNoSchedule, NoExecute]}
              key: {type: string}
              operator: {enum: [Exists, Equal]}
              tolerationSeconds: {type: integer}
              value: {type: string}
        """

    /// What `spec.values` may hold at its top beside `cni` and `global`: of Istio's other charts, and of all of them.
    static let otherValues: Set<String> = [
        "base", "compatibilityVersion", "defaultRevision", "experimental", "gateways", "istio_cni", "istiodRemote",
        "meshConfig", "ownerName", "pilot", "platform", "profile", "revision", "sidecarInjectorWebhook", "taint",
        "telemetry", "ztunnel",
    ]
}
