/** Files and folders at places where somebody else may have been first. */
import assert from "node:assert/strict";
import { chownSync, lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import {
  createPrivateFile,
  makeOwnFolder,
  readIfThere,
  refuseForeignFolder,
  writePrivateFile,
} from "../src/private-files.ts";
import { TempFolder } from "./support/temp-folder.ts";

const NOBODY = 65_534;
const isWindows = process.platform === "win32";

describe("a folder that everybody can make first", { skip: isWindows && "has no modes" }, () => {
  it("is made with its parents, and others lose their rights to one that exists", async () => {
    await using temp = await TempFolder.create();
    const fresh = join(temp.path, "a", "b");
    makeOwnFolder(fresh);
    const open = join(temp.path, "open");
    mkdirSync(open, { mode: 0o777 });
    makeOwnFolder(open);
    for (const folder of [fresh, open]) assert.equal(lstatSync(folder).mode & 0o777, 0o700);
  });

  it("is refused if it is a link, a file, or the folder of another user", async () => {
    await using temp = await TempFolder.create();
    const victim = join(temp.path, "victim");
    mkdirSync(victim, { mode: 0o755 });
    const link = join(temp.path, "link");
    symlinkSync(victim, link);
    assert.throws(() => {
      makeOwnFolder(link);
    }, /^UnsafePathError: .*link is a link$/);
    assert.equal(lstatSync(victim).mode & 0o777, 0o755);
    const file = join(temp.path, "file");
    writeFileSync(file, "");
    assert.throws(() => {
      refuseForeignFolder(file);
    }, /^UnsafePathError: .*file is not a folder$/);
    assert.throws(() => {
      refuseForeignFolder(foreignFolder(temp.path));
    }, /^UnsafePathError: .* belongs to another user$/);
  });
});

/** Only root can give a folder away. Nobody else owns the root folder. */
function foreignFolder(temp: string): string {
  if (process.getuid?.() !== 0) return "/";
  const folder = join(temp, "foreign");
  mkdirSync(folder);
  chownSync(folder, NOBODY, NOBODY);
  return folder;
}

describe("a private file", () => {
  it("replaces a link and not the file behind it, and leaves nothing else", async () => {
    await using temp = await TempFolder.create();
    const victim = join(temp.path, "victim");
    writeFileSync(victim, "precious");
    const file = join(temp.path, "file");
    symlinkSync(victim, file);
    assert.equal(createPrivateFile(file, "new"), false);
    writePrivateFile(file, "new");
    assert.deepEqual([readFileSync(victim, "utf8"), readIfThere(file)], ["precious", "new"]);
    if (!isWindows) assert.equal(lstatSync(file).mode & 0o777, 0o600);
    assert.deepEqual(readdirSync(temp.path).sort(), ["file", "victim"]);
    assert.equal(readIfThere(join(file, "under")), null);
  });
});
