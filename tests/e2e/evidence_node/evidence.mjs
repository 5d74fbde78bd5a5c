// The convention of docs/evidence.md once more, from its text, with nothing but Node's own crypto module.

import { createHash, createHmac, createPrivateKey, createPublicKey, sign, timingSafeEqual, verify } from "node:crypto";

export const payloadType = "https://cloudevents.io/verifiability/dsse/v0.1";
export const typePrefix = "dev.cellos.events.cell.observability.";
export const noEventBefore = Buffer.alloc(32);

const digest = (bytes) => createHash("sha256").update(bytes).digest();

/** `dataBytes` is the data as the line has it; every attribute of `event` is text. */
export function material(event, dataBytes) {
  const core = [event.id, event.source, event.specversion, event.type, event.datacontenttype, event.dataschema,
    event.subject, event.time];
  const parts = core.map((value) => digest(value ?? ""));
  parts.push(digest(dataBytes));
  for (const name of (event.signedextattrs ?? "").split(",").filter(Boolean)) {
    parts.push(digest(name), digest(event[name] ?? ""));
  }
  return digest(Buffer.concat(parts));
}

/** What a signature is over. */
export function preAuthenticationEncoding(materialBytes) {
  return Buffer.concat([
    Buffer.from(`DSSEv1 ${payloadType.length} ${payloadType} ${materialBytes.length} `), materialBytes]);
}

const point = (bytes, begin) => bytes.subarray(begin, begin + 32).toString("base64url");

/** Of a member of a key list. */
export function verifierOf(entry) {
  const { alg, key } = typeof entry === "string" ? { alg: "ed25519", key: entry } : entry;
  const bytes = Buffer.from(key, "base64url");
  switch (alg) {
    case "ed25519": {
      const jwk = { kty: "OKP", crv: "Ed25519", x: key };
      const publicKey = createPublicKey({ key: jwk, format: "jwk" });
      return (message, signature) => verify(null, message, publicKey, signature);
    }
    case "ecdsa-p256-sha256": {
      const jwk = { kty: "EC", crv: "P-256", x: point(bytes, 1), y: point(bytes, 33) };
      const publicKey = { key: createPublicKey({ key: jwk, format: "jwk" }), dsaEncoding: "ieee-p1363" };
      return (message, signature) => verify("sha256", message, publicKey, signature);
    }
    case "hmac-sha256":
      return (message, signature) => {
        const expected = createHmac("sha256", bytes).update(message).digest();
        return expected.length === signature.length && timingSafeEqual(expected, signature);
      };
    default:
      throw new Error(`unknown algorithm ${alg}`);
  }
}

/** `secret` is what a key file holds. */
export function signerOf(alg, secret, publicPoint) {
  const bytes = Buffer.from(secret, "base64url");
  switch (alg) {
    case "ed25519": {
      const jwk = { kty: "OKP", crv: "Ed25519", d: secret, x: publicPoint };
      const privateKey = createPrivateKey({ key: jwk, format: "jwk" });
      return (message) => sign(null, message, privateKey);
    }
    case "ecdsa-p256-sha256": {
      const at = Buffer.from(publicPoint, "base64url");
      const jwk = { kty: "EC", crv: "P-256", d: secret, x: point(at, 1), y: point(at, 33) };
      const privateKey = { key: createPrivateKey({ key: jwk, format: "jwk" }), dsaEncoding: "ieee-p1363" };
      return (message) => withLowerS(sign("sha256", message, privateKey));
    }
    case "hmac-sha256":
      return (message) => createHmac("sha256", bytes).update(message).digest();
    default:
      throw new Error(`unknown algorithm ${alg}`);
  }
}

// The order of P-256's group, SEC 2, section 2.4.2.
const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/** Of the two good signatures (r, s) and (r, order - s), the one that docs/evidence.md asks for. */
function withLowerS(signature) {
  const s = BigInt(`0x${signature.subarray(32).toString("hex")}`);
  if (s <= order / 2n) return signature;
  const lower = (order - s).toString(16).padStart(64, "0");
  return Buffer.concat([signature.subarray(0, 32), Buffer.from(lower, "hex")]);
}

/** One line of ours taken apart: the event, and the bytes of its data. */
export function parseLine(line) {
  const mark = ',"data":';
  const begin = line.indexOf(mark);
  if (begin < 0) throw new Error("no data");
  return { event: JSON.parse(line), dataBytes: Buffer.from(line.slice(begin + mark.length, -1)) };
}

export function envelope(materialBytes, signatures) {
  const json = JSON.stringify({
    payload: materialBytes.toString("base64"),
    payloadType,
    signatures: signatures.map(({ keyid, sig }) => ({ keyid, sig: sig.toString("base64") })),
  });
  return Buffer.from(json).toString("base64");
}
