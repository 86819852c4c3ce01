// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.command;

import picocli.CommandLine.ParseResult;

/** What a command does. It is the user object of the command's description. */
@FunctionalInterface
public interface Command {

    /**
     * Runs the command.
     *
     * @param arguments what the user wrote behind the command
     * @return its exit status
     * @throws CommandFailure if something cannot be used
     */
    int run(ParseResult arguments) throws CommandFailure;
}
