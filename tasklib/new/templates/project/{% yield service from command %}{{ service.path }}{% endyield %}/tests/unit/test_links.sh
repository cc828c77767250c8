# Every file of ours that the page refers to is there.
public=$(dirname "$0")/../../public
for name in $(sed -n 's/.*\(href\|src\)="\([^":]*\.[a-z]*\)".*/\2/p' "$public/index.html"); do
    [ -f "$public/$name" ] || {
        echo "index.html refers to $name, which is not there"
        exit 1
    }
done
