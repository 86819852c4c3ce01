// SPDX-License-Identifier: Apache-2.0

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import java.util.stream.Stream;

/** The comparison of {@code build/compare-commands}, which says how to use it: {@code LIST OLD NEW [REGEX]}. */
public final class CompareCommands {

    private static final int WIDTH = 150;
    private static final int COMMAND_WIDTH = 80;

    private final CommandList list;
    private final CommandRunner old;
    private final CommandRunner current;
    private final Map<String, Integer> counts = new TreeMap<>();

    private CompareCommands(CommandList list, CommandRunner old, CommandRunner current) {
        this.list = list;
        this.old = old;
        this.current = current;
    }

    public static void main(String[] arguments) throws IOException, InterruptedException {
        Path scratch = Files.createTempDirectory("v4j-cmp");
        int status = 2;
        try {
            status = compare(arguments, scratch);
        } catch (IllegalArgumentException mistake) {
            System.err.println("compare-commands: " + mistake.getMessage());
        } finally {
            CommandRunner.delete(scratch);
        }
        System.exit(status);
    }

    private static int compare(String[] arguments, Path scratch) throws IOException, InterruptedException {
        CommandList list = CommandList.read(Path.of(arguments[0]));
        Path old = Path.of(arguments[1]).toRealPath();
        Path current = Path.of(arguments[2]).toRealPath();
        CompareCommands comparison = new CompareCommands(list, new CommandRunner(old, scratch.resolve("o"), list),
                new CommandRunner(current, scratch.resolve("n"), list));
        Pattern chosen = pattern(arguments.length > 3 ? arguments[3] : "");
        Map<String, String> documented = new LinkedHashMap<>(Documents.commands(old));
        Documents.commands(current).forEach(documented::putIfAbsent);
        for (Map.Entry<String, String> shown : documented.entrySet()) {
            String instead = list.find("documented", shown.getKey()).fields().getOrDefault("run", "");
            if (chosen.matcher(shown.getKey() + "\n" + instead).find()) {
                comparison.compareDocumented(shown.getKey(), shown.getValue());
            }
        }
        for (Entry entry : list.section("run")) {
            if (chosen.matcher(entry.command()).find()) {
                comparison.compare(entry.command(), entry);
            }
        }
        return comparison.conclude();
    }

    private static Pattern pattern(String text) {
        try {
            return Pattern.compile(text);
        } catch (PatternSyntaxException broken) {
            throw new IllegalArgumentException(
                    "'" + text + "': expected a regular expression, found: " + broken.getDescription());
        }
    }

    /** A document may show what takes too long, or has a placeholder in it. The list says what to run instead. */
    private void compareDocumented(String command, String place) throws IOException, InterruptedException {
        Entry entry = list.find("documented", command);
        String because = entry.fields().getOrDefault("because", "");
        if (entry.fields().containsKey("run")) {
            String instead = entry.fields().get("run");
            System.out.println(place + ": " + command + "\n          runs as what follows: " + because);
            compare(instead, entry);
        } else if (!because.isEmpty()) {
            count("skipped");
            System.out.println(place + ": " + command + "\n          skipped: " + because);
        } else if (Documents.hasPlaceholder(command)) {
            count("differ");
            System.out.println(place + ": " + command
                    + "\n          cannot be run as it stands; compare-commands.list must say what to run instead");
        } else {
            compare(command, entry);
        }
    }

    private void compare(String command, Entry entry) throws IOException, InterruptedException {
        int seconds = Integer.parseInt(entry.fields().getOrDefault("seconds", "60"));
        Outcome before = old.run(command, seconds);
        Outcome after = current.run(command, seconds);
        Entry expected = list.find("expected", command);
        if (before.equals(after)) {
            count("same");
            String first = before.err().isEmpty() ? before.out() : before.err();
            System.out.println(fit(fit("same      " + before.exit() + "  " + command, COMMAND_WIDTH) + "  | " + first,
                    WIDTH));
            return;
        }
        boolean wanted = !expected.fields().isEmpty() && after.equals(before.with(expected.fields()));
        count(wanted ? "differ as expected" : "differ");
        System.out.println((wanted ? "expected  " : "DIFFERS   ") + command);
        printDifference("exit", before.exit(), after.exit());
        printDifference("out", before.out(), after.out());
        printDifference("err", before.err(), after.err());
        if (wanted) {
            System.out.println("          because " + expected.fields().get("because"));
        }
    }

    private static void printDifference(String what, String before, String after) {
        if (!before.equals(after)) {
            System.out.printf("          old %-4s %s%n          new %-4s %s%n", what, before, what, after);
        }
    }

    private static String fit(String line, int width) {
        return line.length() <= width ? line : line.substring(0, width - 1) + "…";
    }

    private void count(String kind) {
        counts.merge(kind, 1, Integer::sum);
    }

    private int conclude() {
        int all = counts.values().stream().mapToInt(Integer::intValue).sum();
        StringBuilder summary = new StringBuilder(all + " commands");
        for (String kind : List.of("same", "differ as expected", "skipped", "differ")) {
            summary.append(kind.equals("same") ? ": " : ", ").append(counts.getOrDefault(kind, 0)).append(' ')
                    .append(kind);
        }
        System.out.println(summary);
        if (all == 0) {
            throw new IllegalArgumentException("no command was chosen");
        }
        return counts.containsKey("differ") ? 1 : 0;
    }

    /** What a command did: its exit status, and the first line it printed to each of its outputs. */
    private record Outcome(String exit, String out, String err) {

        /** This outcome with the fields that are said to be different. */
        Outcome with(Map<String, String> fields) {
            return new Outcome(fields.getOrDefault("exit", exit), fields.getOrDefault("out", out),
                    fields.getOrDefault("err", err));
        }
    }

    /** A command of the list, with the indented lines {@code NAME: VALUE} below it. */
    private record Entry(String command, Map<String, String> fields) {
    }

    /** The parts of {@code compare-commands.list}; that file describes itself. */
    private record CommandList(Map<String, List<Entry>> sections, String prepare, Map<Pattern, String> mayDiffer) {

        private static final String HEADING = "== ";
        private static final Pattern ARROW = Pattern.compile(" => ?");

        static CommandList read(Path file) throws IOException {
            Map<String, List<Entry>> sections = new LinkedHashMap<>();
            StringBuilder prepare = new StringBuilder();
            Map<Pattern, String> mayDiffer = new LinkedHashMap<>();
            String section = "";
            for (String line : Files.readAllLines(file)) {
                if (line.startsWith(HEADING)) {
                    section = line.substring(HEADING.length());
                    sections.put(section, new ArrayList<>());
                } else if (section.equals("prepare")) {
                    prepare.append(line).append('\n');
                } else if (!line.isBlank() && !line.startsWith("#")) {
                    if (section.equals("may differ")) {
                        String[] rule = ARROW.split(line, 2);
                        mayDiffer.put(Pattern.compile(rule[0]), rule[1]);
                    } else {
                        add(sections.get(section), line);
                    }
                }
            }
            return new CommandList(sections, prepare.toString(), mayDiffer);
        }

        private static void add(List<Entry> entries, String line) {
            if (!line.startsWith(" ")) {
                entries.add(new Entry(line, new LinkedHashMap<>()));
                return;
            }
            String[] field = line.strip().split(": *", 2);
            entries.getLast().fields().put(field[0], field[1]);
        }

        List<Entry> section(String name) {
            return sections.getOrDefault(name, List.of());
        }

        /** The entry of a command, empty if there is none. */
        Entry find(String section, String command) {
            return section(section).stream().filter(entry -> entry.command().equals(command)).findFirst()
                    .orElse(new Entry(command, Map.of()));
        }

        /** The first line of a text, without what may differ from run to run. */
        String firstLine(String text) {
            String same = text;
            for (Map.Entry<Pattern, String> rule : mayDiffer.entrySet()) {
                same = rule.getKey().matcher(same).replaceAll(rule.getValue());
            }
            return same.lines().findFirst().orElse("");
        }
    }

    /** The commands that a checkout's documents show: in blocks, indented or fenced, and between backquotes. */
    private static final class Documents {

        private static final String PROGRAM =
                "(?:\\./virtio4j|vfio-user/register-proxy|conformance/flip-conditions|build/compare-commands)";
        private static final Pattern LINE = Pattern.compile("(?:\\$ )?(" + PROGRAM + "(?: .*)?)");
        private static final Pattern INLINE = Pattern.compile("`(" + PROGRAM + "(?:\\s[^`]*)?)`");

        /** A word in capitals, or an ellipsis, stands for something that the reader puts there. */
        private static final Pattern PLACEHOLDER =
                Pattern.compile("(?:^|[ =\\[])[A-Z]{3,}(?:$|[ .,\\]…])|…|\\.\\.\\.");

        private Documents() {
        }

        static boolean hasPlaceholder(String command) {
            return PLACEHOLDER.matcher(command).find();
        }

        /** Each command once, with the first place where it is shown. */
        static Map<String, String> commands(Path checkout) throws IOException {
            List<Path> files = new ArrayList<>();
            for (String name : List.of("README.md", "CONTRIBUTING.md", "ARCHITECTURE.md")) {
                if (Files.exists(checkout.resolve(name))) {
                    files.add(checkout.resolve(name));
                }
            }
            if (Files.isDirectory(checkout.resolve("docs"))) {
                try (Stream<Path> docs = Files.list(checkout.resolve("docs"))) {
                    docs.filter(file -> file.toString().endsWith(".md")).sorted().forEach(files::add);
                }
            }
            Map<String, String> commands = new LinkedHashMap<>();
            for (Path file : files) {
                collect(checkout.relativize(file), Files.readAllLines(file), commands);
            }
            return commands;
        }

        private static void collect(Path file, List<String> lines, Map<String, String> commands) {
            StringBuilder prose = new StringBuilder();
            boolean fenced = false;
            for (int i = 0; i < lines.size(); i++) {
                String line = lines.get(i);
                boolean fence = line.strip().startsWith("```");
                fenced ^= fence;
                if (fenced || line.startsWith("    ")) {
                    Matcher command = LINE.matcher(line.strip());
                    if (command.matches()) {
                        commands.putIfAbsent(command.group(1), file + ":" + (i + 1));
                    }
                }
                prose.append(fence || fenced ? "" : line).append('\n');
            }
            Matcher inline = INLINE.matcher(prose);
            while (inline.find()) {
                long line = 1 + prose.substring(0, inline.start()).chars().filter(c -> c == '\n').count();
                commands.putIfAbsent(inline.group(1).replaceAll("\\s+", " ").strip(), file + ":" + line);
            }
        }
    }

    /** Runs commands in one checkout: each in a folder of its own that holds links to the checkout's programs. */
    private record CommandRunner(Path checkout, Path folder, CommandList list) {

        private static final List<String> PROGRAMS = List.of("virtio4j", "vfio-user", "conformance", "build");

        Outcome run(String command, int seconds) throws IOException, InterruptedException {
            Files.createDirectory(folder);
            Path out = folder.resolveSibling("out");
            Path err = folder.resolveSibling("err");
            try {
                for (String program : PROGRAMS) {
                    Files.createSymbolicLink(folder.resolve(program), checkout.resolve(program));
                }
                ProcessBuilder builder = new ProcessBuilder("sh", "-c", list.prepare() + command);
                builder.environment().keySet().removeIf(name -> name.startsWith("VIRTIO4J_"));
                builder.directory(folder.toFile()).redirectInput(new File("/dev/null"))
                        .redirectOutput(out.toFile()).redirectError(err.toFile());
                String exit = exit(builder.start(), seconds);
                return new Outcome(exit, firstLine(out), firstLine(err));
            } finally {
                delete(folder);
            }
        }

        private static String exit(Process shell, int seconds) throws InterruptedException {
            if (shell.waitFor(seconds, TimeUnit.SECONDS)) {
                return String.valueOf(shell.exitValue());
            }
            List<ProcessHandle> started = shell.descendants().toList();
            shell.destroyForcibly().waitFor();
            started.forEach(ProcessHandle::destroyForcibly);
            return "none within " + seconds + " s";
        }

        private String firstLine(Path file) throws IOException {
            String text = new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
            return list.firstLine(text.replace(folder.toString(), "FOLDER").replace(checkout.toString(), "CHECKOUT"));
        }

        static void delete(Path folder) throws IOException {
            try (Stream<Path> files = Files.walk(folder)) {
                for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                    Files.delete(file);
                }
            }
        }
    }
}
