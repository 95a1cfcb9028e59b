/** Shells that `waybill completion` supports. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/**
 * Printed to tell the shell to complete file names itself: of the whole word at the cursor, or, in `--option=FILE`, of
 * what follows the `=`.
 */
export const FILES = ':files';

/**
 * Each script calls waybill for the candidates at the cursor, one per line. bash breaks words at colons, which
 * references contain, so its script splits the line itself and receives only the part after the last colon.
 */
const BASH = String.raw`# waybill completion bash
_waybill() {
  local line=${'$'}{COMP_LINE:0:COMP_POINT} words=() current before found prefix
  read -a words <<< "$line"
  [[ $line == *[[:space:]] ]] && words+=('')
  current=${'$'}{words[${'$'}{#words[@]}-1]}
  before=$(printf '%s\n' "${'$'}{words[@]:1:${'$'}{#words[@]}-2}")
  COMPREPLY=()
  while IFS= read -r found; do
    if [[ $found == :files ]]; then
      compopt -o filenames 2> /dev/null
      prefix=
      [[ $current == --*=* ]] && prefix=${'$'}{current%%=*}=
      while IFS= read -r found; do COMPREPLY+=("$prefix$found"); done < <(compgen -f -- "${'$'}{current#"$prefix"}")
    else
      COMPREPLY+=("$found")
    fi
  done < <("$1" completion bash --before="$before" --current="$current" 2> /dev/null)
  [[ ${'$'}{#COMPREPLY[@]} == 1 && ${'$'}{COMPREPLY[0]} == */ ]] && compopt -o nospace 2> /dev/null
  if [[ $current == *[:=]* ]]; then
    prefix=${'$'}{current%"${'$'}{current##*[:=]}"}
    COMPREPLY=("${'$'}{COMPREPLY[@]#"$prefix"}")
  fi
}
complete -F _waybill waybill
`;

const ZSH = `#compdef waybill
# waybill completion zsh
_waybill() {
  local -a found end
  local line current="${'$'}{(Q)PREFIX}" before="${'$'}{(F)words[2,CURRENT-1]}" files=
  while IFS= read -r line; do
    if [[ $line == :files ]]; then files=1; else found+=("$line"); fi
  done < <("${'$'}{words[1]}" completion zsh --before="$before" --current="$current" 2> /dev/null)
  (( ${'$'}{#found} )) && [[ ${'$'}{found[1]} == */ ]] && end=(-S '')
  (( ${'$'}{#found} )) && _describe waybill found "${'$'}{end[@]}"
  if [[ -n $files ]]; then
    [[ $current == --*=* ]] && compset -P 1 '*='
    _files
  fi
}
if [[ ${'$'}{funcstack[1]} == _waybill ]]; then _waybill "$@"; else compdef _waybill waybill; fi
`;

const FISH = String.raw`# waybill completion fish
function __waybill_words
  set -l current (commandline -ct)
  set -l before (commandline -opc)
  set -l program $before[1]
  set -e before[1]
  set -l typed (string join \n -- $before | string collect)
  for line in ($program completion fish --before="$typed" --current="$current" 2> /dev/null)
    if test "$line" = ':files'
      if string match -qr '^--[^=]+=' -- $current
        set -l option (string replace -r '=.*' '=' -- $current)
        for file in (__fish_complete_path (string replace -r '^[^=]*=' '' -- $current))
          printf '%s%s\n' $option $file
        end
      else
        __fish_complete_path "$current"
      end
    else
      printf '%s\n' $line
    end
  end
end
complete -c waybill -f -a '(__waybill_words)'
`;

export const SCRIPTS: Readonly<Record<Shell, string>> = { bash: BASH, zsh: ZSH, fish: FISH };
