/** The page: shows itself first, then starts the worker, then keeps itself for days without a network. */
import { render } from 'preact';
import { App } from './page/app.js';
import './style/base.css';
import './style/setup.css';
import './style/results.css';
import './style/narrow.css';

render(<App />, document.getElementById('app')!);

if (import.meta.env.PROD && navigator.serviceWorker !== undefined)
  addEventListener('load', async () => {
    await navigator.serviceWorker.register(`${import.meta.env.BASE_URL}sw.js`);
    const { active } = await navigator.serviceWorker.ready;
    // The runtime's binary is large: it is fetched when nothing else waits.
    setTimeout(() => active?.postMessage('keep'), 2000);
  });
