/**
 * Builds what is imported and run. npm runs this after an install in this folder, and when another
 * project installs this folder (`npm install ../if-coordinator`): then nothing may be installed here yet,
 * and npm does not do it.
 */
import { execSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const cwd = fileURLToPath(new URL("..", import.meta.url));
// What is meant for the project that installs this one is not meant for this one.
const env = Object.fromEntries(
  Object.entries(process.env).filter(
    ([name]) => !/^npm_(config_(global|prefix|local_prefix)|command)$/i.test(name),
  ),
);

function run(command) {
  execSync(command, { cwd, env, stdio: "inherit" });
}

if (!existsSync(`${cwd}/node_modules/typescript`)) run("npm ci --ignore-scripts");
run("npm run build");
