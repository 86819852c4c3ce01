// SPDX-License-Identifier: Apache-2.0

/**
 * What happens when two threads do something at the same time. The classes called {@code ...Races} are tests of
 * jcstress: two actors, thousands of times, and a list of what they may see. {@link org.virtio4j.concurrency.RacesTest}
 * runs them all. {@link org.virtio4j.concurrency.LongRunTest} has a device and a driver at work for a minute, each of
 * them at random, and checks the contents of memory. {@link org.virtio4j.concurrency.DisabledFencesTest} takes one
 * fence or one wait at a time out of the product and expects the same races to fail.
 */
@NullMarked
package org.virtio4j.concurrency;

import org.jspecify.annotations.NullMarked;
