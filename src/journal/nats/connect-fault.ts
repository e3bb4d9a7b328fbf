const UNKNOWN_CA =
  'the certificate of the server is not signed by a known CA; name its CA with --nats-tls-ca';
export const CLIENT_CERTIFICATE =
  'the server requires a client certificate that it trusts; name it with --nats-tls-cert and --nats-tls-key';

/** What happened and what to do, by the code of an error of TLS (Node.js documentation, "X509 certificate error codes"). */
const TEXTS: Readonly<Record<string, string>> = {
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_CA,
  UNABLE_TO_GET_ISSUER_CERT: UNKNOWN_CA,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_CA,
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN_CA,
  DEPTH_ZERO_SELF_SIGNED_CERT: UNKNOWN_CA,
  CERT_SIGNATURE_FAILURE: UNKNOWN_CA,
  CERT_HAS_EXPIRED: 'the certificate of the server, or of its CA, has expired; renew it',
  CERT_NOT_YET_VALID: 'the certificate of the server is not valid yet; compare the clocks',
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: CLIENT_CERTIFICATE,
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: CLIENT_CERTIFICATE,
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE: CLIENT_CERTIFICATE,
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: CLIENT_CERTIFICATE,
};

/** Why the client could not connect, in one line, with the fix where it is known. */
export function connectFault({ message, name, code = '' }: NodeJS.ErrnoException): string {
  const known = TEXTS[code];
  if (known !== undefined) return known;
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return `the certificate of the server is for another host; write a host in --nats that it names (${oneLine(message)})`;
  }
  if (message === "server does not support 'tls'") {
    return 'the server offers no TLS, which tls:// in --nats or a file of --nats-tls-… requires';
  }
  return oneLine(message) || name;
}

function oneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, ' ').trim();
}
