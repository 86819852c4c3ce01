// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.architecture;

import java.util.Set;

/**
 * A source file of the house and what it uses.
 *
 * @param module the folder of its module
 * @param name the binary name of its top-level type
 * @param test whether it is a test's
 * @param uses the top-level types that it names
 * @param calls the methods that it names, as {@link ClassFile} or {@link SourceFile} writes them
 * @param imports the top-level types that its source imports, also those that only Javadoc needs
 */
record HouseType(String module, String name, boolean test, Set<String> uses, Set<String> calls,
        Set<String> imports) {

    String packageName() {
        return name.substring(0, name.lastIndexOf('.'));
    }
}
