// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.os;

import org.jspecify.annotations.Nullable;

/**
 * Whether native calls were granted to the module that makes them. Without that, everything that needs native calls has
 * a second way or says that it is not available. A program that grants native access to the module that used to make
 * these calls wants them. It is refused and told the new name, so that it does not run slower without a word.
 */
final class NativeAccess {

    /** The module that used to make the native calls. */
    static final String FORMER_MODULE = "org.virtio4j.vmm";

    private NativeAccess() {
    }

    /**
     * Whether a module may make native calls.
     *
     * @param calling the module that makes the native calls
     * @param former  the name of the module that used to make them
     * @return false if native access was granted to neither
     * @throws IllegalCallerException if it was granted to the former module alone
     */
    static boolean isGranted(Module calling, String former) {
        if (calling.isNativeAccessEnabled()) {
            return true;
        }
        if (isGrantedTo(former, calling.getLayer())) {
            throw new IllegalCallerException("native access is granted to " + former + ", but " + calling.getName()
                    + " makes the native calls; start with --enable-native-access=" + calling.getName() + " instead");
        }
        return false;
    }

    /** On the class path there are no layers, and no names of modules. */
    private static boolean isGrantedTo(String name, @Nullable ModuleLayer layer) {
        return layer != null && layer.findModule(name).map(Module::isNativeAccessEnabled).orElse(false);
    }
}
