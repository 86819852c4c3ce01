// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.serving.config;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.tomlj.TomlParseError;
import org.virtio4j.command.CommandFailure;

/** Says in the words of the configuration why a text is not TOML. The parser has only those of its grammar. */
final class TomlMistake {

    private static final Pattern UNEXPECTED = Pattern.compile("Unexpected .+, expected ([^;]+)(; .*)?", Pattern.DOTALL);
    private static final Pattern DEFINED = Pattern.compile("(.+?) (is not an array |is not a table )?"
            + "\\(?previously defined (as a literal array )?at line (\\d+), column \\d+\\)?");
    private static final Pattern KEY_VALUE = Pattern.compile("(\\s*[\"']?([\\w-]+)[\"']?\\s*=\\s*)(.*)",
            Pattern.DOTALL);
    private static final Pattern COMMENT = Pattern.compile("\\s*(#.*)?", Pattern.DOTALL);
    private static final Pattern NAMED_MACHINE = Pattern.compile("\\[+\\s*machine\\s+([^\\s\\]]+)\\s*].*",
            Pattern.DOTALL);
    private static final Pattern WORD = Pattern.compile("[^\\s#,=\\[\\]{}]+");
    private static final String BYTE_ORDER_MARK = "\ufeff";
    private static final String ANY_VALUE = "text in quotes, a number, true, false or a list";
    private static final String OLDER_VERSIONS = " (TOML versions before 1.1.0)";
    private static final int MOST_SHOWN = 60;

    /** What the parser says for other mistakes, and what is said instead. */
    private static final Map<String, String> OTHER_WORDS = Map.of(
            "Integer is too large", "a number of at most 63 bits",
            "Float is too large", "a smaller number",
            "Leading zeros are not allowed", "a number that does not begin with 0",
            "Invalid unicode escape sequence", "\\u and four hexadecimal digits",
            "Empty table key", "a table such as [[machine]]",
            "Nesting is too deep", "fewer tables and lists inside each other",
            "Newlines are not allowed in an inline table", "the whole {...} on one line",
            "A trailing comma is not allowed", "no comma before }",
            "", "another value");

    private final List<String> lines;
    private final int number;
    private final String line;
    private final String rest;
    private final String message;

    private TomlMistake(String text, TomlParseError error) {
        lines = Arrays.asList(text.split("\r?\n", -1));
        number = error.position().line();
        line = lines.get(Math.min(number, lines.size()) - 1);
        int before = Math.min(error.position().column() - 1, line.codePointCount(0, line.length()));
        rest = line.substring(line.offsetByCodePoints(0, before));
        message = Objects.requireNonNull(error.getMessage()).replace(OLDER_VERSIONS, "");
    }

    /** The failure for an error of the parser. */
    static CommandFailure failure(Path file, String text, TomlParseError error) {
        return new Place(file, error.position().line(), error.position().column())
                .failure(new TomlMistake(text, error).say());
    }

    private String say() {
        Matcher defined = DEFINED.matcher(message);
        Matcher unexpected = UNEXPECTED.matcher(message);
        if (rest.startsWith(BYTE_ORDER_MARK)) {
            return "expected no byte order mark except at the beginning of the file, found one";
        } else if (rest.startsWith("\r")) {
            return "expected LF or CR LF at the end of the line, found CR alone";
        } else if (!rest.isEmpty() && Character.isISOControl(rest.charAt(0))) {
            return "expected no control character, found '" + rest.charAt(0) + "'";
        } else if (defined.matches()) {
            return definedBefore(defined.group(1), Integer.parseInt(defined.group(4)));
        } else if (message.startsWith("Invalid escape sequence")) {
            return "expected \\\\ for a backslash, or the text in single quotes, found "
                    + message.substring(message.indexOf('\''));
        } else if (unexpected.matches()) {
            return unexpected(unexpected.group(1), Objects.requireNonNullElse(unexpected.group(2), ""));
        }
        String wanted = OTHER_WORDS.entrySet().stream().filter(words -> message.startsWith(words.getKey()))
                .max(Comparator.comparingInt(words -> words.getKey().length())).orElseThrow().getValue();
        return bareValue().orElse("expected " + wanted + ", found " + quoted(line));
    }

    private String unexpected(String wanted, String reason) {
        boolean header = line.strip().startsWith("[");
        if (header && (wanted.startsWith("]") || wanted.equals("a key"))) {
            Matcher named = NAMED_MACHINE.matcher(line.strip());
            return "expected a table such as [[machine]] or [machine.iommu], found " + quoted(line)
                    + (named.matches() ? "; write [[machine]], and name = \"" + named.group(1) + "\" below it" : "");
        } else if (wanted.startsWith("a key")) {
            return "expected KEY = VALUE or a table such as [machine.iommu], found " + quoted(line)
                    + (line.strip().matches("(;|//).*") ? "; a comment begins with #" : "");
        } else if (wanted.equals(". or =") || wanted.equals("=")) {
            return "expected KEY = VALUE, found " + quoted(line);
        }
        return bareValue().orElseGet(() -> "expected " + inWords(wanted) + ", found " + found(wanted) + reason);
    }

    /** For a value that has no quotes or brackets and is the mistake, or that is missing. */
    private Optional<String> bareValue() {
        Matcher matcher = KEY_VALUE.matcher(line);
        if (!matcher.matches() || matcher.group(3).matches("(?s)[\"'\\[{].*")
                || line.length() - rest.length() < matcher.end(1)) {
            return Optional.empty();
        }
        String name = matcher.group(2);
        String value = matcher.group(3);
        int comment = value.indexOf(" #");
        String shown = comment < 0 ? value : value.substring(0, comment);
        String wanted = Arrays.stream(ConfigTable.values()).flatMap(table -> table.key(name).stream()).findFirst()
                .map(ConfigKey::wanted).orElse(ANY_VALUE);
        return Optional.of(name + ": expected " + wanted + ", found "
                + (COMMENT.matcher(value).matches() ? "none" : quoted(shown)));
    }

    private static String inWords(String wanted) {
        if (wanted.startsWith("\"") || wanted.startsWith("'")) {
            return wanted.split(" ", 2)[0] + " at the end of the text";
        } else if (wanted.contains("a comma")) {
            return "a comma or " + wanted.charAt(0);
        }
        return wanted.replace("a newline or end-of-input", "the end of the line").replace("], a value, or a newline",
                "a value or ]").replace("] or a value", "a value or ]");
    }

    /** The word at the place of the mistake. */
    private String found(String wanted) {
        if (rest.isEmpty()) {
            return message.contains("end of line") ? "the end of the line" : "the end of the file";
        }
        Matcher words = WORD.matcher(line);
        while (words.find()) {
            if (words.start() <= line.length() - rest.length() && words.end() > line.length() - rest.length()) {
                String word = words.group();
                boolean bare = wanted.startsWith("]") && Character.isLetter(rest.charAt(0)) && !word.contains("\"");
                return quoted(word) + (bare ? "; text needs quotes" : "");
            }
        }
        return quoted(rest.substring(0, 1));
    }

    private String definedBefore(String path, int before) {
        String here = line.strip();
        String there = lines.get(before - 1).strip();
        String name = path.substring(path.lastIndexOf('.') + 1);
        if (!here.startsWith("[") || !line.startsWith(here, line.length() - rest.length())) {
            return "key " + name + ": expected once in " + headerAbove() + ", found on line " + before + " too";
        }
        Optional<ConfigTable> table = ConfigTable.of(name);
        String header = table.map(ConfigTable::header).orElse(here);
        boolean same = there.replace("[[", "[").startsWith("[" + path + "]");
        if (!same) {
            return "expected " + header + (there.startsWith("[") ? " first" : " once") + ", found " + quoted(there)
                    + " on line " + before;
        } else if (header.startsWith("[[") && here.startsWith("[[")) {
            return "expected " + header + " each time, found " + quoted(there) + " on line " + before;
        } else if (header.startsWith("[[")) {
            return "expected " + header + " for each of several, found " + quoted(here) + ", as on line " + before;
        }
        return "expected one " + header + (table.isPresent() ? " in a machine" : "") + ", found one on line " + before
                + " too";
    }

    private String headerAbove() {
        for (int i = Math.min(number, lines.size()) - 1; i >= 0; i--) {
            if (lines.get(i).strip().startsWith("[")) {
                return lines.get(i).strip();
            }
        }
        return "the file";
    }

    private static String quoted(String text) {
        String whole = text.strip();
        return "'" + (whole.length() <= MOST_SHOWN ? whole : whole.substring(0, MOST_SHOWN) + "...") + "'";
    }
}
