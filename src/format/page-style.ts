/** The style sheet of the page, for light and dark, wide and narrow, screen and paper. */
export const PAGE_STYLE = `
:root {
  color-scheme: light dark;
  --back: #fff; --text: #1c2024; --dim: #5d666f; --line: #d5dade; --soft: #f3f5f7;
  --good: #14713a; --bad: #b3261e; --warn: #8a5300; --accent: #1f5fbf; --ink: #10141a;
}
@media (prefers-color-scheme: dark) {
  :root {
    --back: #14171a; --text: #e4e7ea; --dim: #9aa4ad; --line: #353b41; --soft: #1d2125;
    --good: #63c586; --bad: #ff8a80; --warn: #e9b15e; --accent: #7fb0ff;
  }
}
* { box-sizing: border-box; }
body {
  max-width: 76rem; margin: 0 auto; padding: 1rem; background: var(--back); color: var(--text);
  font: 15px/1.5 system-ui, sans-serif; overflow-wrap: anywhere;
}
h1 { font-size: 1.4rem; margin: .5rem 0 1rem; }
h2 { font-size: 1.2rem; margin: 2.2rem 0 .6rem; padding-top: .6rem; border-top: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 1.4rem 0 .4rem; }
p { margin: .25rem 0; white-space: pre-wrap; }
p.in2 { padding-left: 1.2rem; }
p.in4 { padding-left: 2.4rem; }
.gap { height: .9rem; }
.strong { font-weight: 600; } .dim { color: var(--dim); }
.good { color: var(--good); } .bad { color: var(--bad); font-weight: 600; } .warn { color: var(--warn); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; margin: .4rem 0; }
dt { color: var(--dim); }
dd { margin: 0; }
.scroll { overflow-x: auto; margin: .5rem 0; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th { text-align: left; color: var(--dim); font-weight: 500; white-space: nowrap; }
th, td { padding: .2rem .8rem .2rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
.right { text-align: right; white-space: nowrap; }
.whole { white-space: nowrap; }
.wide { min-width: 14rem; font-family: ui-monospace, monospace; font-size: .87em; white-space: pre-wrap; }
.bar { width: 8rem; min-width: 8rem; }
.bar svg { display: block; width: 100%; height: .8rem; margin-top: .3rem; background: var(--soft); }
.bar rect { fill: var(--accent); }
.map { display: block; width: 100%; height: min(70vh, 34rem); background: var(--soft); }
.tile { cursor: pointer; outline: none; }
.tile text { font: 11px system-ui, sans-serif; fill: var(--ink); pointer-events: none; }
.tile.plain > text { fill: var(--text); }
.tile.plain > rect { fill: var(--line); }
.tile.out { opacity: .25; }
.tile:hover > rect { stroke: var(--text); stroke-width: 2; }
.tile:focus-visible > rect { stroke: var(--accent); stroke-width: 6; }
.c0 > rect { fill: #8db8e8; } .c1 > rect { fill: #f0b27a; } .c2 > rect { fill: #8fcf9f; }
.c3 > rect { fill: #e39a9a; } .c4 > rect { fill: #bda7dd; } .c5 > rect { fill: #d3c06a; }
.c6 > rect { fill: #86cdcd; } .c7 > rect { fill: #dda3c9; }
.legend { display: flex; flex-wrap: wrap; gap: .1rem 1.2rem; padding: 0; list-style: none; font-size: .87em; }
.legend svg { width: .8em; height: .8em; margin-right: .4em; }
.search { width: 100%; max-width: 28rem; padding: .4rem .6rem; font: inherit; }
.crumbs { margin: .4rem 0; }
.crumbs button + button::before { content: "/ "; color: var(--dim); }
.crumbs button:first-child + button::before { content: ""; }
button { padding: .1rem .25rem; border: 0; background: none; color: var(--accent); font: inherit; text-align: left; cursor: pointer; }
button:hover { text-decoration: underline; }
:focus-visible { outline: 2px solid var(--accent); }
.status { display: block; min-height: 1.6em; margin: .3rem 0; }
.files { max-height: 24rem; overflow-y: auto; margin: .4rem 0; padding: 0; list-style: none; columns: 22rem; }
.files li { display: flex; justify-content: space-between; gap: 1rem; break-inside: avoid; }
.files span { white-space: nowrap; }
@media (max-width: 40rem) {
  body { padding: .6rem; font-size: 14px; }
  dl { grid-template-columns: 1fr; }
  dd { margin-bottom: .3rem; }
  th, td { padding-right: .5rem; }
  .wide { min-width: 8rem; }
  .bar { width: 4rem; min-width: 4rem; }
}
@media print {
  :root { --back: #fff; --text: #000; --dim: #444; --line: #ccc; --soft: #eee; --good: #14713a; --bad: #b3261e; --warn: #8a5300; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  .search, .keys { display: none; }
  .scroll, .files { overflow: visible; max-height: none; }
}
`;
