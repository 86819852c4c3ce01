// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.architecture;

import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a source file names. Comments and strings do not count.
 *
 * @param types the top-level types that are imported and used outside comments, or written with their package; for a
 *     type whose class file is missing or old
 * @param calls the methods, as {@code ?.method}, because a source does not say whose they are
 * @param imports the top-level types of all imports, also of those that only a comment uses
 */
record SourceFile(Set<String> types, Set<String> calls, Set<String> imports) {

    private static final Pattern IGNORED = Pattern.compile(
            "/\\*.*?\\*/|//[^\n]*|\"\"\".*?\"\"\"|\"(?:[^\"\\\\\n]|\\\\.)*\"|'(?:[^'\\\\\n]|\\\\.)+'", Pattern.DOTALL);
    private static final Pattern IMPORT =
            Pattern.compile("(?m)^import (?:static )?((?:[a-z]\\w*\\.)+([A-Z]\\w*))(?:\\.(\\w+))*;\n");
    private static final Pattern QUALIFIED = Pattern.compile("\\b((?:[a-z]\\w*\\.)+[A-Z]\\w*)");
    private static final Pattern CALL = Pattern.compile("(?:\\.|::)(\\w+)");

    static SourceFile of(String text) {
        String code = IGNORED.matcher(text).replaceAll("\"\"");
        String body = IMPORT.matcher(code).replaceAll("");
        Set<String> types = new TreeSet<>();
        Set<String> imports = new TreeSet<>();
        Matcher imported = IMPORT.matcher(code);
        while (imported.find()) {
            imports.add(imported.group(1));
            String name = imported.group(3) == null ? imported.group(2) : imported.group(3);
            if (Pattern.compile("\\b" + name + "\\b").matcher(body).find()) {
                types.add(imported.group(1));
            }
        }
        Matcher qualified = QUALIFIED.matcher(body);
        while (qualified.find()) {
            types.add(qualified.group(1));
        }
        Set<String> calls = new TreeSet<>();
        Matcher call = CALL.matcher(body);
        while (call.find()) {
            calls.add("?." + call.group(1));
        }
        return new SourceFile(types, calls, imports);
    }
}
