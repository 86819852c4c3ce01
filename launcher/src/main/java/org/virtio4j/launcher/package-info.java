// SPDX-License-Identifier: Apache-2.0

/**
 * The program behind {@code virtio4j guest}, {@code serve}, {@code replay} and {@code version}: parses their arguments,
 * has a library do the work and reports what came of it. {@link org.virtio4j.launcher.Main} chooses the command. There
 * is nothing here that another program could want.
 */
@NullMarked
package org.virtio4j.launcher;

import org.jspecify.annotations.NullMarked;
