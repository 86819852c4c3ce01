// SPDX-License-Identifier: Apache-2.0
package org.virtio4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code build/compare-commands} with checkouts whose program {@code virtio4j} is three lines of shell. */
class CompareCommandsTest {

    private static final String SAME = """
            case $1 in
                fail) echo "virtio4j: cannot" >&2; exit 2 ;;
                where) echo "$(dirname "$(readlink "$0")") and $PWD" ;;
                *) echo "$*" ;;
            esac
            """;

    @TempDir
    private static Path classes;

    @TempDir
    private Path scratch;

    private Path old;
    private Path current;

    @BeforeAll
    static void compile() {
        Path source = Path.of(System.getProperty("virtio4j.home", ".."), "build", "CompareCommands.java");
        assertEquals(0, ToolProvider.getSystemJavaCompiler().run(null, null, null, "-d", classes.toString(),
                source.toString()));
    }

    @BeforeEach
    void makeCheckouts() throws IOException {
        old = checkout("old", SAME);
        current = checkout("current", SAME);
    }

    @Test
    void shouldFindNoDifference() throws IOException, InterruptedException {
        Report report = compare("""
                == run
                ./virtio4j version
                ./virtio4j fail
                """);
        assertEquals(0, report.status, report.text());
        assertEquals("2 commands: 2 same, 0 differ as expected, 0 skipped, 0 differ", report.lines.getLast());
    }

    @Test
    void shouldShowWhatDiffers() throws IOException, InterruptedException {
        current = checkout("other", "echo hello; echo oh >&2; exit 3");
        Report report = compare("""
                == run
                ./virtio4j fail
                """);
        assertEquals(1, report.status, report.text());
        report.expect("DIFFERS   ./virtio4j fail", "old exit 2", "new exit 3", "old out", "new out  hello",
                "old err  virtio4j: cannot", "new err  oh");
    }

    @Test
    void shouldAcceptExactlyTheDifferenceThatIsExpected() throws IOException, InterruptedException {
        String list = """
                == run
                ./virtio4j fail
                == expected
                ./virtio4j fail
                    exit: 0
                    err: %s
                    because: it learned to
                """;
        current = checkout("other", "echo better >&2");
        Report expected = compare(list.formatted("better"));
        assertEquals(0, expected.status, expected.text());
        expected.expect("because it learned to");
        Report other = compare(list.formatted("best"));
        assertEquals(1, other.status, other.text());
    }

    @Test
    void shouldRunWhatDocumentsShow() throws IOException, InterruptedException {
        Files.writeString(old.resolve("README.md"), """
                Text with `./virtio4j
                in prose` and `./virtio4jx no`.

                    ./virtio4j indented

                ```
                ./virtio4j fenced
                virtio4j nothing
                ```
                """);
        Files.createDirectory(current.resolve("docs"));
        Files.writeString(current.resolve("docs/new.md"), "`./virtio4j new`\n");
        Report report = compare("");
        report.expect("./virtio4j in prose", "./virtio4j indented", "./virtio4j fenced", "./virtio4j new");
        report.expect("4 commands: 4 same");
    }

    @Test
    void shouldNotLeaveOutSilentlyWhatCannotBeRunAsItStands() throws IOException, InterruptedException {
        Files.writeString(old.resolve("README.md"), "    ./virtio4j replay FILE\n");
        Report nothingSaid = compare("");
        assertEquals(1, nothingSaid.status, nothingSaid.text());
        nothingSaid.expect("README.md:1: ./virtio4j replay FILE");
        Report instead = compare("""
                == documented
                ./virtio4j replay FILE
                    run: ./virtio4j replay one
                    because: FILE stands for a file
                """);
        assertEquals(0, instead.status, instead.text());
        instead.expect("./virtio4j replay one", "FILE stands for a file");
        Report skipped = compare("""
                == documented
                ./virtio4j replay FILE
                    because: it takes a day
                """);
        assertEquals(0, skipped.status, skipped.text());
        skipped.expect("skipped: it takes a day", "1 skipped");
    }

    @Test
    void shouldIgnoreFoldersAndWhatMayDiffer() throws IOException, InterruptedException {
        Report report = compare("""
                == prepare
                now=$$
                == may differ
                pid \\d+ => pid
                == run
                ./virtio4j where
                ./virtio4j pid "$now"
                """);
        assertEquals(0, report.status, report.text());
        report.expect("CHECKOUT and FOLDER");
    }

    @Test
    void shouldEndWhatTakesTooLong() throws IOException, InterruptedException {
        Report report = compare("""
                == run
                sleep 1000 & wait
                    seconds: 1
                """);
        assertEquals(0, report.status, report.text());
        report.expect("none within 1 s");
    }

    private Path checkout(String name, String program) throws IOException {
        Path folder = Files.createDirectory(scratch.resolve(name));
        Path file = Files.writeString(folder.resolve("virtio4j"), "#!/bin/sh\n" + program);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwx------"));
        return folder;
    }

    private Report compare(String list) throws IOException, InterruptedException {
        Path file = Files.writeString(scratch.resolve("list"), list);
        Path java = Path.of(System.getProperty("java.home"), "bin", "java");
        Process process = new ProcessBuilder(java.toString(), "-cp", classes.toString(), "CompareCommands",
                file.toString(), old.toString(), current.toString()).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return new Report(process.waitFor(), new ArrayList<>(output.lines().toList()));
    }

    private record Report(int status, List<String> lines) {

        String text() {
            return String.join("\n", lines);
        }

        void expect(String... parts) {
            for (String part : parts) {
                assertTrue(text().contains(part), () -> "expected '" + part + "' in:\n" + text());
            }
        }
    }
}
