// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.guestsuite;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/** A test of which another one of its kind is enough for each change: {@code -Dguest.suite=full} runs it. */
@Target(ElementType.METHOD)
@Retention(RetentionPolicy.RUNTIME)
@EnabledIfSystemProperty(named = "guest.suite", matches = "full", disabledReason = "runs with -Dguest.suite=full")
@interface FullSuite {
}
