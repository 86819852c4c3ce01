// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.launcher;

import java.lang.module.ModuleDescriptor;
import org.jspecify.annotations.Nullable;

/** The version of the project. */
final class Version {

    private Version() {
    }

    /** As the build has written it into the module; unknown on the class path. */
    static String text() {
        @Nullable ModuleDescriptor descriptor = Version.class.getModule().getDescriptor();
        return descriptor == null ? "unknown" : descriptor.rawVersion().orElse("unknown");
    }
}
