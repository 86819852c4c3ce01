// SPDX-License-Identifier: Apache-2.0

/**
 * What somebody who runs a machine should hear of, in words: what a device refuses, what waits for whom, how long
 * answers take. Devices tell it on their threads, and {@link org.virtio4j.serving.watch.Notices} keeps it until it is
 * asked for. What a guest can cause over and over again is joined to few lines.
 */
@NullMarked
package org.virtio4j.serving.watch;

import org.jspecify.annotations.NullMarked;
