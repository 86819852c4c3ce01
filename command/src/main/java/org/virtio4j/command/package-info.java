// SPDX-License-Identifier: Apache-2.0

/**
 * What the main of every program needs: its command line, the way from a failure to an exit status, files that are
 * written whole or not at all, Ctrl-C, and the form of JSON.
 *
 * <p>A program's main makes an {@link org.virtio4j.command.Interruption} and hands its commands and arguments to a
 * {@link org.virtio4j.command.CommandRunner}, which lets picocli parse them. A {@link org.virtio4j.command.Command}
 * describes its options with {@link org.virtio4j.command.CommandHelp} and {@link org.virtio4j.command.CommandOptions},
 * and throws a {@link org.virtio4j.command.CommandFailure} for whatever cannot be used; the message is the one line
 * that the user reads. The statuses are in {@link org.virtio4j.command.ExitStatus}.
 */
@NullMarked
package org.virtio4j.command;

import org.jspecify.annotations.NullMarked;
