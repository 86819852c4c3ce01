// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.guestsuite;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/** A class of tests that boot guests: skipped where none can be had, and given up when one hangs for long. */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@ExtendWith(NeedsGuest.class)
@Timeout(600)
@interface GuestScenario {
}
