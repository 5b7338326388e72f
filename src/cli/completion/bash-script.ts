/**
 * The completion script for bash. The one of `@bomb.sh/tab` needs the package bash-completion, and evaluates the
 * words of the command line: `--title "$(command)"` would run the command, and `> file` would empty the file.
 */
export const BASH_SCRIPT = `# bash completion for if-coordinator
_if_coordinator_completion() {
    local value description
    COMPREPLY=()
    while IFS=$'\\t' read -r value description; do
        case $value in
            :0) ;;
            # No file names. The bash of macOS has no compopt, and shows them.
            :4) type compopt >/dev/null 2>&1 && compopt +o default ;;
            *)
                printf -v value '%q' "$value"
                COMPREPLY+=("$value")
                ;;
        esac
    done < <(if-coordinator completion complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _if_coordinator_completion if-coordinator
`;
