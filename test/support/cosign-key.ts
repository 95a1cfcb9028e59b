// A private key as `cosign generate-key-pair` writes it: PKCS #8, encrypted with NaCl's secretbox by a password's
// scrypt.
import { randomBytes, scryptSync } from 'node:crypto';
import { secretbox } from '@noble/ciphers/salsa';
import { type KeyPair, pemOf } from './certificates.js';

/** The content of cosign.key. https://pkg.go.dev/github.com/secure-systems-lab/go-securesystemslib/encrypted */
export function cosignPrivateKey({ privateKey }: KeyPair, password: string): string {
  const [salt, nonce] = [randomBytes(32), randomBytes(24)];
  const [N, r, p] = [32768, 8, 1];
  const secret = scryptSync(password, salt, 32, { N, r, p, maxmem: 2 ** 27 });
  const ciphertext = secretbox(secret, nonce).seal(privateKey.export({ type: 'pkcs8', format: 'der' }));
  const envelope = {
    kdf: { name: 'scrypt', params: { N, r, p }, salt: salt.toString('base64') },
    cipher: { name: 'nacl/secretbox', nonce: nonce.toString('base64') },
    ciphertext: Buffer.from(ciphertext).toString('base64'),
  };
  return pemOf('ENCRYPTED COSIGN PRIVATE KEY', Buffer.from(JSON.stringify(envelope)));
}
