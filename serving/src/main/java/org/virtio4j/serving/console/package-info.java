// SPDX-License-Identifier: Apache-2.0
/**
 * Where a user attaches to the console of a guest. {@link org.virtio4j.serving.console.ConsoleSocket} is a Unix socket
 * for one client at a time, and {@code Backlog} keeps the last of what the guest said while nobody was there.
 */
@NullMarked
package org.virtio4j.serving.console;

import org.jspecify.annotations.NullMarked;
