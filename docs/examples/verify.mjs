// Checks who signed a webhook (Standard Webhooks 1.0), v1 and v1a. Copy it beside your receiver; it needs no library.
import { createHmac, createPublicKey, timingSafeEqual, verify } from "node:crypto";

const TOLERANCE_S = 300;

// Whether one of `keys` (whsec_… or whpk_…) signed these bytes, at most five minutes from now.
export function isSigned(headers, body, keys, now = Date.now() / 1000) {
  const { "webhook-id": uid = "", "webhook-timestamp": at = "", "webhook-signature": given = "" } = headers;
  if (!/^[0-9]{1,12}$/.test(at) || Math.abs(now - Number(at)) > TOLERANCE_S) return false;
  const content = Buffer.concat([Buffer.from(`${uid}.${at}.`), body]);
  return keys.some((key) => given.split(" ").some((entry) => fits(key, content, entry)));
}

function fits(key, content, entry) {
  const [version, text = ""] = entry.split(",");
  const raw = Buffer.from(key.slice(key.indexOf("_") + 1), "base64");
  const given = Buffer.from(text, "base64");
  if (key.startsWith("whsec_")) {
    const mac = createHmac("sha256", raw).update(content).digest();
    return version === "v1" && given.length === mac.length && timingSafeEqual(given, mac);
  }
  return version === "v1a" && given.length === 64 && verify(null, content, publicKey(raw), given);
}

const publicKey = (raw) =>
  createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x: raw.toString("base64url") }, format: "jwk" });
