// An OpenID provider for the tests: oauth2-mock-server, and /control, which says who comes and what goes wrong.
// Prints its issuer once it listens; ends with its standard input.
'use strict';

const http = require('node:http');
const { OAuth2Server } = require('oauth2-mock-server');

const [, , clientId, clientSecret] = process.argv;
const credentials = 'Basic ' + Buffer.from(`${clientId}:${clientSecret}`).toString('base64');

// person: claims of who comes. claims_in: what tells them besides `sub`, "id_token" or "userinfo".
// id_token: claims put over those of the ID token. forge: another subject under the signature of the first.
// answers: path -> { status, headers, body } in place of its own.
let control = {};

function change(request, response) {
  let body = '';
  request.on('data', (chunk) => (body += chunk));
  request.on('end', () => {
    control = JSON.parse(body);
    response.end();
  });
}

function forged(token) {
  const [header, payload, signature] = token.split('.');
  const claims = JSON.parse(Buffer.from(payload, 'base64url'));
  const other = Buffer.from(JSON.stringify({ ...claims, sub: 'somebody-else' })).toString('base64url');
  return [header, other, signature].join('.');
}

async function main() {
  // Never started: its handler answers behind a server with /control.
  const { issuer, service } = new OAuth2Server();
  await issuer.keys.generate('RS256');

  service.on('beforeTokenSigning', (token) => {
    const { person, claims_in, id_token } = control;
    // An access token has a scope and is nobody's business but the provider's.
    if ('scope' in token.payload) return;
    Object.assign(token.payload, claims_in === 'id_token' ? person : { sub: person.sub }, id_token);
  });
  service.on('beforeResponse', (answer, request) => {
    if (request.headers.authorization !== credentials) {
      answer.statusCode = 401;
      answer.body = { error: 'invalid_client' };
    } else if (!request.body.code_verifier) {
      answer.statusCode = 400;
      answer.body = { error: 'invalid_grant' };
    } else if (control.forge) {
      answer.body.id_token = forged(answer.body.id_token);
    }
  });
  service.on('beforeUserinfo', (answer, request) => {
    if (!/^Bearer .+\..+\..+$/.test(request.headers.authorization)) answer.statusCode = 401;
    else answer.body = { ...control.person, ...control.userinfo };
  });

  const server = http.createServer((request, response) => {
    const { pathname } = new URL(request.url, issuer.url);
    const instead = control.answers?.[pathname];
    if (pathname === '/control') change(request, response);
    else if (instead) response.writeHead(instead.status, instead.headers).end(instead.body);
    else service.requestHandler(request, response);
  });
  server.listen(0, '127.0.0.1', () => {
    issuer.url = `http://127.0.0.1:${server.address().port}`;
    console.log(issuer.url);
  });
  process.stdin.resume().on('end', () => process.exit());
}

main();
