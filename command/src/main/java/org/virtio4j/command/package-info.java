// SPDX-License-Identifier: Apache-2.0

/**
 * What the main of every program needs: options and hints for a mistyped one, the way from a failure to an exit
 * status, files that are written whole or not at all, Ctrl-C, and the form of JSON.
 *
 * <p>A program's main makes an {@link org.virtio4j.command.Interruption} and hands its work to a {@link
 * org.virtio4j.command.CommandRunner}. The work parses its {@link org.virtio4j.command.Options} and throws a {@link
 * org.virtio4j.command.CommandFailure} for whatever cannot be used; the message is the one line that the user reads.
 * The statuses are in {@link org.virtio4j.command.ExitStatus}.
 */
@NullMarked
package org.virtio4j.command;

import org.jspecify.annotations.NullMarked;
