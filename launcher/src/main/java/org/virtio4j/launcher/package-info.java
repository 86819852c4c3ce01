// SPDX-License-Identifier: Apache-2.0

/**
 * The {@code virtio4j} command. {@link org.virtio4j.launcher.Main} looks at the first argument and hands the others to
 * the command of that name; a command parses its options, does its work through a package of its own, and reports.
 *
 * <p>Results go to standard output, and everything else to standard error: what went wrong, always on one line, and
 * progress if a person is watching. No stack trace is for the user to read; a failure that is not the user's or the
 * input's is a defect and may show one.
 */
@NullMarked
package org.virtio4j.launcher;

import org.jspecify.annotations.NullMarked;
