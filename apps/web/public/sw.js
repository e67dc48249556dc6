/**
 * Offline after the first visit: keeps the site's files, and answers from them. It also adds the headers
 * that let threads share memory, for hosts that cannot be told to send them.
 */
const CACHE = 'grok';
const ISOLATED = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

self.addEventListener('install', () => self.skipWaiting());
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));
// The page asks for it when it has nothing else to do.
self.addEventListener('message', (event) => {
  if (event.data === 'keep') event.waitUntil(keepAll());
});

async function keepAll() {
  const list = await fetch('offline.json', { cache: 'no-cache' });
  if (!list.ok) return;
  const files = await list.json();
  const cache = await caches.open(CACHE);
  for (const file of files) {
    // Names carry a hash of the content, so what is there is right; the page itself is fetched anew.
    if (file !== './' && (await cache.match(file))) continue;
    const answer = await fetch(file, { cache: file === './' ? 'no-cache' : 'default' });
    if (answer.ok) await cache.put(file, answer);
  }
  const wanted = new Set(files.map((file) => new URL(file, self.location.href).href));
  for (const kept of await cache.keys())
    if (!wanted.has(kept.url) && kept.url.includes('/assets/')) await cache.delete(kept);
}

self.addEventListener('fetch', (event) => {
  const { request } = event;
  if (request.method !== 'GET' || new URL(request.url).origin !== self.location.origin) return;
  event.respondWith(answer(request));
});

async function answer(request) {
  const cache = await caches.open(CACHE);
  const fixed = request.url.includes('/assets/');
  if (fixed) {
    const kept = await cache.match(request);
    if (kept) return isolated(kept);
  }
  try {
    const response = await fetch(request);
    if (response.ok && response.status === 200) await cache.put(request, response.clone());
    return isolated(response);
  } catch (error) {
    const kept = await cache.match(request, { ignoreSearch: request.mode === 'navigate' });
    if (kept) return isolated(kept);
    throw error;
  }
}

function isolated(response) {
  if (response.status === 0) return response;
  const headers = new Headers(response.headers);
  for (const [name, value] of Object.entries(ISOLATED)) headers.set(name, value);
  const { status, statusText } = response;
  return new Response(response.body, { status, statusText, headers });
}
