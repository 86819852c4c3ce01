// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.concurrency;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A JVM with the class path of the tests, before which other classes may lie. */
final class ChildJvm {

    static final String CLASS_PATH =
            System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));

    private ChildJvm() {
    }

    /** What a program said and how it ended. */
    record Result(int status, String output) {
    }

    /** Runs a program to its end, in a folder that it may write to. */
    static Result run(String front, Path folder, List<String> arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-Dvirtio4j.table.checked=" + System.getProperty("virtio4j.table.checked", "false"),
                "-cp", front + File.pathSeparator + CLASS_PATH));
        command.addAll(arguments);
        Path output = Files.createTempFile(folder, "output", ".txt");
        Process process = new ProcessBuilder(command).directory(folder.toFile()).redirectErrorStream(true)
                .redirectOutput(output.toFile()).start();
        try {
            int status = process.waitFor();
            return new Result(status, Files.readString(output, StandardCharsets.UTF_8));
        } finally {
            process.destroyForcibly();
        }
    }
}
