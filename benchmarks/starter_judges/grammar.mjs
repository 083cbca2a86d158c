// Reads texts as JSON lines on standard input and answers with Harper's findings, a JSON line for each text.
// HARPER is the folder that npm installed harper.js into.
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';

const home = join(process.env.HARPER, 'node_modules', 'harper.js', 'dist');
const harper = await import(pathToFileURL(join(home, 'index.js')));
const { binary } = await import(pathToFileURL(join(home, 'binary.js')));
const dialects = { 'en-US': harper.Dialect.American, 'en-GB': harper.Dialect.British };
const linters = {};

for await (const line of createInterface({ input: process.stdin })) {
  const { text, locale } = JSON.parse(line);
  const dialect = locale in dialects ? locale : 'en-US';
  linters[dialect] ??= new harper.LocalLinter({ binary, dialect: dialects[dialect] });
  const lints = await linters[dialect].lint(text, { language: 'plaintext' });
  const found = lints.map((lint) => {
    const { start, end } = lint.span();
    return { kind: lint.lint_kind(), start, end, message: lint.message() };
  });
  console.log(JSON.stringify(found));
}
