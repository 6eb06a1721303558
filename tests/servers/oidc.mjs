// A token server of another maker (oidc-provider), with one client for programs.
//
//     node oidc.mjs PORT NAME SECRET LIFE_S
//
// It prints `ready` when it listens.
import Provider from 'oidc-provider';

const [port, name, secret, life] = process.argv.slice(2);
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [{
    client_id: name, client_secret: secret, redirect_uris: [], response_types: [],
    grant_types: ['client_credentials'],
  }],
  scopes: ['read'],
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    introspection: { enabled: true },
  },
  ttl: { ClientCredentials: Number(life) },
});
provider.listen(Number(port), '127.0.0.1', () => console.log('ready'));
