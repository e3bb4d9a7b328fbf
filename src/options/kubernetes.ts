/**
 * Whether Kubernetes set this variable. For a Service called forebay it gives each pod of the namespace seven variables:
 * FOREBAY_PORT=tcp://10.96.0.12:3000, FOREBAY_SERVICE_HOST, FOREBAY_SERVICE_PORT, and FOREBAY_PORT_3000_TCP with
 * _PROTO, _PORT and _ADDR; and one more for each named port. A Service called forebay-admin has FOREBAY_ADMIN_PORT.
 *
 * @see https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
 */
export function isOfKubernetes(name: string, value: string): boolean {
  return (
    /_SERVICE_(?:HOST|PORT(?:_[A-Z0-9_]+)?)$/.test(name) ||
    /_PORT_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?$/.test(name) ||
    (name.endsWith('_PORT') && /^(?:tcp|udp|sctp):\/\//i.test(value))
  );
}
