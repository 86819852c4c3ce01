// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.architecture;

import static org.junit.jupiter.api.Assertions.fail;

import java.util.Collection;

/** Fails with what was found, a line each, and what to do about it. */
final class Findings {

    private Findings() {
    }

    static void expectNone(Collection<String> found, String whatToDo) {
        if (!found.isEmpty()) {
            fail(whatToDo + "\n    " + String.join("\n    ", found));
        }
    }
}
