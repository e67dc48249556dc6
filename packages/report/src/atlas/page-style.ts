/** How the atlas looks: light and dark, on desktops and on phones. */
export const STYLE: string = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; --ink: #1a1a1a; --page: #fff; --soft: #555; --line: #ddd; --link: #0b5cad; }
@media (prefers-color-scheme: dark) { :root { --ink: #e9e6df; --page: #161616; --soft: #b3b0aa; --line: #3a3a3a; --link: #7cb8f2; } }
body { margin: 0 auto; max-width: 76rem; padding: 1rem; color: var(--ink); background: var(--page); }
h1, h2, h3 { line-height: 1.2; }
main > h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--line); }
a { color: var(--link); }
.skip:not(:focus) { position: absolute; left: -99rem; }
nav { display: grid; grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)); gap: 0 1.5rem; }
nav h2 { font-size: 1rem; margin: .75rem 0 0; }
nav ul { margin: 0; padding-left: 1.1rem; }
figure { margin: 1.5rem 0 2rem; min-width: 0; }
figure h3 { margin: 0 0 .5rem; }
.view { overflow-x: auto; width: 100%; }
.view:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
.view svg, .view canvas { display: block; }
.vega-bindings { display: flex; flex-wrap: wrap; gap: .25rem 1rem; margin-bottom: .5rem; font-size: .9rem; }
.vega-bind label { display: inline-flex; align-items: center; gap: .4rem; }
select, button, input { font: inherit; color: inherit; accent-color: var(--link); }
select, button { background: transparent; border: 1px solid var(--soft); border-radius: .3rem; padding: .15rem .5rem; }
option { color: #1a1a1a; background: #fff; }
output { display: block; min-height: 1.5em; font-size: .9rem; font-variant-numeric: tabular-nums; }
figcaption { font-size: .9rem; color: var(--soft); }
code { overflow-wrap: anywhere; }
@media (max-width: 40rem) { body { padding: .75rem; } nav { grid-template-columns: 1fr; } }`.trim();
