// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.launcher;

import org.virtio4j.command.BenchArguments;
import org.virtio4j.command.Command;
import org.virtio4j.command.CommandFailure;
import org.virtio4j.command.CommandHelp;
import picocli.CommandLine.Model.CommandSpec;

/**
 * The commands of the script {@code virtio4j} that this program does not run. They are described here, so that a
 * mistyped one is understood and a shell completes them.
 */
final class ScriptCommands {

    private ScriptCommands() {
    }

    static void addTo(CommandSpec program) {
        program.addSubcommand("bench", BenchArguments.spec(elsewhere("bench")));
        add(program, "test", "run all tests", "[MAVEN-ARG...]",
                "Runs all tests. Arguments go to Maven; such a run may test less.");
        add(program, "build", "build without running tests", "[MAVEN-ARG...]",
                "Builds without running tests.");
        add(program, "mvn", "run Maven on the JDK that the script finds", "MAVEN-ARG...",
                "Runs Maven on the JDK that the script finds.");
        add(program, "jdk", "print the folder of that JDK", "",
                "Prints the folder of the JDK that the script finds.");
    }

    private static void add(CommandSpec program, String name, String about, String synopsis,
            String explanation) {
        program.addSubcommand(name, CommandHelp.explain(
                CommandHelp.describe(elsewhere(name), name, about, synopsis), explanation));
    }

    private static Command elsewhere(String name) {
        return arguments -> {
            throw new CommandFailure("command " + name + ": expected to be run by the script virtio4j");
        };
    }
}
