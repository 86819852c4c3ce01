// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Assumptions;

/** A process that uses the same file, until it is closed. */
final class OtherProcess implements AutoCloseable {

    private final Process process;
    private final StringBuilder said = new StringBuilder();

    private OtherProcess(Process process) {
        this.process = process;
    }

    static OtherProcess start(String... command) {
        try {
            return new OtherProcess(new ProcessBuilder(command).redirectErrorStream(true).start());
        } catch (IOException missing) {
            Assumptions.abort(command[0] + " does not run here: " + missing.getMessage());
            throw new UncheckedIOException(missing);
        }
    }

    /** One of ours. */
    static OtherProcess startJava(Class<?> main, Path file) {
        String classPath = System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
        return start(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED", "-cp", classPath, main.getName(), file.toString());
    }

    /** Runs a command to its end; returns what it said if it failed, else nothing. */
    static String refusal(String... command) {
        OtherProcess other = start(command);
        other.waitForEnd();
        return other.process.exitValue() == 0 ? "" : other.said.toString();
    }

    static String run(String... command) {
        OtherProcess other = start(command);
        other.waitForEnd();
        Assumptions.assumeTrue(other.process.exitValue() == 0,
                () -> List.of(command) + " does not work here: " + other.said);
        return other.said.toString().strip();
    }


    /** Waits until it has said something. */
    OtherProcess awaitWord(String word) {
        try {
            InputStream output = process.getInputStream();
            while (said.indexOf(word) < 0) {
                int next = output.read();
                if (next < 0) {
                    throw new AssertionError("it ended by itself: " + said);
                }
                said.append((char) next);
            }
            return this;
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    boolean isAlive() {
        return process.isAlive();
    }

    @Override
    public void close() {
        // By its handle: Process would close the output too, on which we wait for the end.
        process.toHandle().destroy();
        waitForEnd();
    }

    private void waitForEnd() {
        try {
            process.getOutputStream().close();
            said.append(new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8));
            process.waitFor();
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        } catch (InterruptedException interrupted) {
            throw new AssertionError(interrupted);
        }
    }
}
