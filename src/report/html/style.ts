/** The page's whole style: dark and light by the reader's setting, and paper. */
export const style = `
:root { color-scheme: light dark; --page: #f6f7f9; --card: #fff; --ink: #1b1f24; --soft: #5b6570; --line: #dde1e6;
  --good: #1a7f4b; --bad: #c2293a; --doubt: #96650a; --accent: #2557c7; --good-bg: #e6f4ec; --bad-bg: #fbe9eb; --doubt-bg: #fbf2df; --bar: #3b6fe0; --before: #b9c2cd; }
@media (prefers-color-scheme: dark) { :root { --page: #14171b; --card: #1c2025; --ink: #e6e9ed; --soft: #9aa4b0; --line: #31373f;
  --good: #57c78d; --bad: #ff7b86; --doubt: #e5b454; --accent: #86acff; --good-bg: #163325; --bad-bg: #3b1c21; --doubt-bg: #362c15; --bar: #6f9bff; --before: #4a535e; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, "Segoe UI", Roboto, sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 32px 24px 64px; }
h1 { font-size: 26px; line-height: 1.25; margin: 0 0 4px; letter-spacing: -.01em; }
h2 { font-size: 20px; margin: 40px 0 12px; }
h3 { font-size: 15px; margin: 0 0 12px; }
p { margin: 0 0 8px; }
code, .mono { font: 13px/1.45 ui-monospace, "SF Mono", Menlo, Consolas, monospace; overflow-wrap: anywhere; }
header { border-left: 6px solid var(--tone); background: var(--card); border-radius: 8px; padding: 20px 24px; box-shadow: 0 0 0 1px var(--line); }
header.good { --tone: var(--good); } header.waiting { --tone: var(--doubt); } header.bad { --tone: var(--bad); }
.standing { color: var(--tone); font-weight: 600; font-size: 17px; }
.soft { color: var(--soft); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 4px 16px; margin: 0; }
header dl { margin-top: 16px; grid-template-columns: max-content 1fr max-content 1fr; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
section { background: var(--card); border-radius: 8px; box-shadow: 0 0 0 1px var(--line); padding: 18px 20px; margin: 14px 0; }
table { border-collapse: collapse; width: 100%; } .scroll { overflow-x: auto; }
th { text-align: left; font-weight: 600; color: var(--soft); font-size: 13px; } th, td { padding: 6px 14px 6px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
tbody tr:last-child td { border-bottom: 0; } td { overflow-wrap: break-word; min-width: 4ch; } td:first-child code { white-space: nowrap; overflow-wrap: normal; }
.tag { display: inline-block; padding: 0 8px; border-radius: 10px; font-size: 13px; white-space: nowrap; }
.tag.good { color: var(--good); background: var(--good-bg); } .tag.bad { color: var(--bad); background: var(--bad-bg); }
.tag.doubt { color: var(--doubt); background: var(--doubt-bg); } .tag.dim { color: var(--soft); background: var(--page); }
ul { margin: 0; padding-left: 20px; } li { margin: 3px 0; }
pre { margin: 0 0 8px; padding: 12px 14px; background: var(--page); border-radius: 6px; white-space: pre-wrap; overflow-wrap: anywhere; font: 13px/1.5 ui-monospace, "SF Mono", Menlo, Consolas, monospace; }
svg { display: block; width: 100%; height: auto; } svg text { font: 12px system-ui, "Segoe UI", Roboto, sans-serif; fill: var(--ink); }
svg .soft { fill: var(--soft); } svg .grid { stroke: var(--line); } svg .bar { fill: var(--bar); } svg .bar.failed { fill: var(--bad); } svg .bar.incomplete { fill: var(--doubt); } svg .before { fill: var(--before); }
.share0 { fill: #3b6fe0; } .share1 { fill: #d18b1f; } .share2 { fill: #2f9e77; } .share3 { fill: #a45ac4; } .share4 { fill: #8a949e; }
.key { display: flex; flex-wrap: wrap; gap: 4px 18px; margin-top: 8px; font-size: 13px; } .key svg { display: inline-block; width: 11px; height: 11px; margin-right: 6px; }
footer { margin-top: 32px; color: var(--soft); font-size: 13px; }
@media (max-width: 720px) { header dl { grid-template-columns: max-content 1fr; } main { padding: 16px 12px 40px; } }
@media print { :root { --page: #fff; --card: #fff; --ink: #000; --soft: #444; --line: #bbb; } body { font-size: 11pt; } main { max-width: none; padding: 0; }
  section, header, tr, svg { break-inside: avoid; } h2, h3 { break-after: avoid; } .scroll { overflow: visible; } * { -webkit-print-color-adjust: exact; print-color-adjust: exact; } }
`;
