// Judges queries with Microsoft's Kusto language service. In (standard input): {"schemas": {table: {column: type}},
// "queries": [{"name", "text"}]}. Out: [{"name", "code", "severity", "message", "text"}], one for each finding.
"use strict";
const fs = require("fs");
const path = require("path");
const vm = require("vm");

const home = path.join(path.dirname(require.resolve("@kusto/language-service-next/package.json")));
for (const file of ["bridge.min.js", "Kusto.Language.Bridge.min.js"]) {
  vm.runInThisContext(fs.readFileSync(path.join(home, file), "utf8"), { filename: file });
}
const { Symbols, KustoCode, GlobalState } = Kusto.Language;
const asked = JSON.parse(fs.readFileSync(0, "utf8"));
const tables = Object.entries(asked.schemas).map(([name, columns]) => {
  const schema = Object.entries(columns).map(([column, type]) => `${column}:${type}`).join(", ");
  return new Symbols.TableSymbol.$ctor7(name, `(${schema})`, null);
});
const workspace = new Symbols.DatabaseSymbol.$ctor3("workspace", null, tables, false);
const globals = GlobalState.Default.WithDatabase(workspace);
const findings = [];
for (const { name, text } of asked.queries) {
  const diagnostics = KustoCode.ParseAndAnalyze(text, globals).GetDiagnostics();
  for (let i = 0; i < diagnostics.Count; i += 1) {
    const each = diagnostics.getItem(i);
    findings.push({
      name,
      code: each.Code,
      severity: each.Severity,
      message: each.Message,
      text: text.substr(each.Start, Math.min(each.Length, 60)),
    });
  }
}
process.stdout.write(JSON.stringify(findings));
