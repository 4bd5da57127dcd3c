-- Numbers the lines that it reads.
local number = 0
for line in io.lines() do
    number = number + 1
    print(("%4d  %s"):format(number, line))
end
