-- Does Lua do here what it does elsewhere? Says how many checks passed, or which failed.
local passed, failed = 0, 0

local function check(name, condition, ...)
    if condition then
        passed = passed + 1
    else
        failed = failed + 1
        print("failed: " .. name, ...)
    end
end
local function equal(name, got, wanted) check(name, got == wanted, got, wanted) end

-- Numbers
equal("integer division", -7 // 2, -4)
equal("modulo", -7 % 3, 2)
equal("float modulo", 5.5 % -2, -0.5)
equal("wrap around", math.maxinteger + 1, math.mininteger)
equal("division is of floats", 7 / 2, 3.5)
equal("power", 2 ^ 0.5 * 2 ^ 0.5 > 1.9999999, true)
equal("shift", 1 << 63, math.mininteger)
equal("shift out", 1 << 64, 0)
equal("not a number", 0 / 0 ~= 0 / 0, true)
equal("infinity", 1 / 0, math.huge)
equal("from text", tonumber("0x1p4"), 16.0)
equal("from text with a base", tonumber("zz", 36), 35 * 36 + 35)
equal("not from text", tonumber("1e"), nil)
equal("exactly", tostring(0.1), "0.1")
equal("round trip", tonumber(string.format("%.17g", math.pi)), math.pi)
equal("hexadecimal float", string.format("%a", 1.0), "0x1p+0")
equal("large", tostring(2 ^ 63), "9.2233720368548e+18")
equal("types", math.type(1) .. math.type(1.0) .. tostring(math.type("1")), "integerfloatnil")
equal("to integer", math.tointeger(8.0), 8)
equal("unsigned less", math.ult(1, -1), true)
check("sine", math.abs(math.sin(math.pi / 6) - 0.5) < 1e-15)
check("logarithm", math.log(8, 2) == 3.0)
check("random", (function()
    math.randomseed(42)
    local a = math.random(1000)
    math.randomseed(42)
    return a == math.random(1000) and a >= 1 and a <= 1000
end)())

-- Strings
equal("length", #"a\0b", 3)
equal("sub", ("kairos"):sub(-3, -2), "ro")
equal("find", ("hello world"):find("o w"), 5)
equal("pattern", ("key = value"):match("^(%w+)%s*=%s*(%w+)$"), "key")
equal("frontier", ("THE (quick) fox"):find("%f[%a]%a+%f[%A]", 5), 6)
equal("balanced", ("f(a(b)c)d"):match("%b()"), "(a(b)c)")
equal("substitute", ("abc"):gsub("%w", "%0%0"), "aabbcc")
equal("substitute by table", ("$x $y"):gsub("%$(%w+)", {x = "1"}), "1 $y")
equal("repeat", ("ab"):rep(3, ","), "ab,ab,ab")
equal("reverse", ("abc"):reverse(), "cba")
equal("format", ("%5d|%-5s|%05.1f|%q|%x|%c"):format(42, "ab", 3.14159, "q\n", 255, 65),
      "   42|ab   |003.1|\"q\\\n\"|ff|A")
equal("bytes", string.char(("abc"):byte(1, -1)), "abc")
equal("pack", string.unpack("<i4", string.pack("<i4", -2)), -2)
equal("pack text", string.unpack("s1", string.pack("s1", "hello")), "hello")
equal("compare", "a" < "b" and "Z" < "a", true)
equal("utf-8", utf8.char(228, 8364, 128512), "ä€😀")
equal("utf-8 length", utf8.len("ä€😀"), 3)
local points = {}
for _, point in utf8.codes("aä") do points[#points + 1] = point end
equal("utf-8 code points", table.concat(points, " "), "97 228")

-- Tables
local list = {5, 2, 8, 1, 9, 3}
table.sort(list)
equal("sort", table.concat(list, " "), "1 2 3 5 8 9")
table.sort(list, function(a, b) return a > b end)
equal("sort down", list[1], 9)
equal("insert and remove", (function()
    local t = {1, 2, 3}
    table.insert(t, 2, 10)
    return table.remove(t) + table.remove(t, 1) + #t
end)(), 6)
equal("move", table.concat(table.move({1, 2, 3}, 1, 3, 2), " "), "1 1 2 3")
equal("unpack", select("#", table.unpack({1, nil, 3}, 1, 3)), 3)
local large = {}
for i = 1, 100000 do large[i] = i * 2 end
local sum = 0
for _, value in ipairs(large) do sum = sum + value end
equal("a large table", sum, 100000 * 100001)
local keys = 0
for _ in pairs({a = 1, b = 2, [3] = 4, [4.5] = 6}) do keys = keys + 1 end
equal("pairs", keys, 4)

-- Functions, closures, goto, variable arguments
local function counter()
    local n = 0
    return function()
        n = n + 1
        return n
    end
end
local one, two = counter(), counter()
one()
equal("closures", one() + two(), 3)
equal("varargs", select("#", (function(...) return ... end)(nil, nil, nil)), 3)
local function tail(n) if n == 0 then return "done" end return tail(n - 1) end
equal("tail calls", tail(200000), "done")
do
    local i = 0
    ::again::
    i = i + 1
    if i < 5 then goto again end
    equal("goto", i, 5)
end
do
    local closed = {}
    do
        local a <close> = setmetatable({}, {__close = function() closed[#closed + 1] = "a" end})
        local b <close> = setmetatable({}, {__close = function() closed[#closed + 1] = "b" end})
        local c <const> = 1
    end
    equal("to be closed", table.concat(closed), "ba")
end

-- Metatables
local vector = {}
vector.__index = vector
vector.__add = function(a, b) return setmetatable({x = a.x + b.x}, vector) end
vector.__eq = function(a, b) return a.x == b.x end
vector.__lt = function(a, b) return a.x < b.x end
vector.__call = function(self, y) return self.x * y end
vector.__tostring = function(self) return "v" .. self.x end
vector.__len = function() return 77 end
vector.__concat = function(a, b) return tostring(a) .. tostring(b) end
local v, w = setmetatable({x = 1}, vector), setmetatable({x = 2}, vector)
equal("add", (v + w).x, 3)
equal("equal", v + w == setmetatable({x = 3}, vector), true)
equal("less", v < w, true)
equal("call", w(21), 42)
equal("text", tostring(v) .. #v .. (v .. w), "v177v1v2")
local proxy = setmetatable({}, {__index = function(_, key) return key .. "!" end})
equal("index function", proxy.hello, "hello!")

-- Coroutines
local generate = coroutine.wrap(function(a)
    for i = a, a + 2 do coroutine.yield(i) end
    return "end"
end)
equal("coroutine", generate(5) .. generate() .. generate() .. generate(), "567end")
local broken = coroutine.create(function() error({code = 7}) end)
local fine, problem = coroutine.resume(broken)
equal("error in a coroutine", not fine and problem.code, 7)
equal("dead coroutine", coroutine.status(broken), "dead")
local many = {}
for i = 1, 1000 do
    many[i] = coroutine.wrap(function() while true do coroutine.yield(i) end end)
end
local total = 0
for i = 1, 1000 do total = total + many[i]() end
equal("a thousand coroutines", total, 500500)
equal("yield across pcall", coroutine.wrap(function()
    local _, value = pcall(function() return coroutine.yield(1) end)
    return value
end)(), 1)

-- Errors
equal("pcall", select(2, pcall(error, "plain", 0)), "plain")
check("position", (select(2, pcall(function() error("here") end))):find("check.lua:%d+: here"))
check("no such method", (select(2, pcall(function() local t; t.x = 1 end))):find("nil value"))
check("handler", select(2, xpcall(function() error("x") end, debug.traceback)):find("traceback"))
check("stack overflow", (function()
    local function deeper(n) return deeper(n + 1) + 1 end
    local done, why = pcall(deeper, 1)
    return not done and tostring(why):find("overflow")
end)())
check("overflow in C", not pcall(string.rep, "x", 1 << 40))
check("deep patterns", not pcall(string.match, ("("):rep(300), ("("):rep(300)))
check("out of memory is an error", (function()
    local done, why = pcall(string.rep, "x", 1 << 30)
    return done or why:find("memory")  -- there may be enough
end)())

-- Loading
equal("load", load("return ...", "chunk")(5), 5)
check("syntax error", select(2, load("x =", "=chunk")):find("^chunk:1:"))
equal("binary chunks", load(string.dump(function(a) return a * 2 end))(21), 42)
equal("environment", load("return x", "chunk", "t", {x = 9})(), 9)

-- Collection
local weak = setmetatable({}, {__mode = "k"})
local finalized = 0
for i = 1, 100 do
    weak[{}] = i
    setmetatable({}, {__gc = function() finalized = finalized + 1 end})
end
collectgarbage()
collectgarbage()
equal("weak keys", next(weak), nil)
equal("finalizers", finalized, 100)
local before = collectgarbage("count")
for round = 1, 20 do
    local garbage = {}
    for i = 1, 20000 do garbage[i] = {i, tostring(i)} end
end
collectgarbage()
check("garbage goes", collectgarbage("count") < before + 1000)
collectgarbage("generational")
for i = 1, 100000 do local t = {i} end
collectgarbage("incremental")

-- The system
check("clock", os.clock() >= 0)
check("time", os.time() >= 0 and os.date("!%Y-%m-%d", 0) == "1970-01-01")
equal("time and back", os.time(os.date("*t", 86400 * 365)), 86400 * 365)
equal("difftime", os.difftime(10, 4), 6.0)
equal("no such variable", os.getenv("NO_SUCH_VARIABLE"), nil)
equal("locale", os.setlocale(), "C")
check("no such file", select(3, io.open("no such file")) ~= 0 and not io.open("no such file"))
equal("file handles", io.type(io.stdout) .. tostring(io.type(1)), "filenil")

print(failed == 0 and passed .. " checks passed" or failed .. " of " .. passed + failed .. " failed")
os.exit(failed == 0)
