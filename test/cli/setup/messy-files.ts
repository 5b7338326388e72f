/** Configuration files as people leave them: comments, commas, tabs, line ends of Windows, other servers. */

export const JSON_FILES: Readonly<Record<string, string>> = {
  "is missing": "",
  "has only braces": "{}",
  "has no servers": '{\n  "model": "opus",\n  "permissions": { "allow": ["Bash(git *)"] }\n}\n',
  "has comments and trailing commas": `{
  // the servers of the team
  "mcpServers": { // one a line
    "github": { "command": "gh-mcp", "env": {"TOKEN": "\${GH}"} }, // keep
    /* the last */ "fs": { "command": "fs-mcp", "args": [ ".",], },
  },
\t"other":   [1,2,
  3],
}
`,
  "has the servers in one line": '{"theme":"dark","mcpServers":{"a":{"command":"a"}},"x":1}',
  "has tabs": '{\n\t"mcpServers": {\n\t\t"a": {\n\t\t\t"command": "a"\n\t\t}\n\t}\n}\n',
  "has four spaces and no last line end": '{\n    "a": {\n        "b": 1\n    }\n}',
  "has line ends of Windows": '{\r\n  "mcpServers": {\r\n    "a": {"command": "a"}\r\n  }\r\n}\r\n',
  "has the servers last and others below": `{
  "hooks": {
    "Stop": [{ "hooks": [{ "type": "command", "command": "say done" }] }]
  },

  "mcpServers": {

    "a": { "command": "a" }

  }
  // the end
}

`,
  "has unusual text":
    '{ "näme": "日本語 \\ud83d\\ude80", "mcpServers"  :\n  { "a" : {"command":"a"} } }\n',
};

export const TOML_FILES: Readonly<Record<string, string>> = {
  "is missing": "",
  "has only a model": 'model = "gpt-5"\n',
  "has no last line end": 'model = "gpt-5"   # the model',
  "has comments and other servers": `# my codex
model = "gpt-5"   # the model
approval_policy = 'on-request'

[mcp_servers.fs]   # files
command = "fs-mcp"
args = [ "a",
  "b", ] # two

[mcp_servers."odd name".env]
TOKEN = """
several
lines"""
[profiles.fast]
model="o4"

`,
  "has line ends of Windows": 'model = "x"\r\n\r\n[a]\r\nb = 1\r\n',
  "has dates and arrays of tables":
    "[[hooks]]\nat = 2026-01-01T00:00:00Z\n[[hooks]]\nat = 07:32:00\n",
};

export const MARKDOWN_FILES: Readonly<Record<string, string>> = {
  "is missing": "",
  "has rules": "# Rules\n\n- Use tabs.\n",
  "has no last line end": "# Rules\n\nUse tabs.",
  "ends with empty lines": "# Rules\n\n\n\n",
  "has line ends of Windows": "# Rules\r\n\r\nUse tabs.\r\n",
};
